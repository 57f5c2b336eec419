// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { echo, fs } from 'zx';
import { readEvidence } from '../results/evidence-files.ts';
import { findSplats } from '../src/linux/splats.ts';
import { first } from '../src/present.ts';
import { root, tellChanges, wordsOf } from './script.ts';

/**
 * Records a kernel's complaints in a case, from the line before the first one on, for the tests of
 * src/linux/splats.ts. How the complaint was provoked belongs in the README beside the recording.
 */
const usage = 'npm run record:splat -- CASEFOLDER NAME-VERSION';

const [folder = '', name = ''] = wordsOf(usage, 2);
const lines = readEvidence(folder).console.split('\n');
const splats = findSplats(lines.join('\n'));
if (splats.length === 0) {
  console.error(`The kernel of ${folder} complained of nothing: there is nothing to record.`);
  process.exit(1);
}
for (const { kind, title } of splats) echo(`${kind}: ${title}`);
const begin = first(first(splats).lines);
const at = lines.findIndex((line) => line.trimEnd().endsWith(begin));
const path = join(root, 'test', 'linux', 'fixtures', 'splats', `${name}.log`);
fs.writeFileSync(path, lines.slice(Math.max(0, at - 1)).join('\n'));
await tellChanges(relative(root, path));
