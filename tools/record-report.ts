// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { fs } from 'zx';
import { loadSide, namedSide } from '../harness/laboratory/compare-sides.ts';
import { compareSides } from '../src/cli/compare-report.ts';
import { formatComparison } from '../src/report/compare/text.ts';
import { stableJson } from '../src/stable-json.ts';
import { take } from '../test/given.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/**
 * Records the comparison of two run folders as a golden report. A and B are sides of `ptdiff
 * compare` that name folders; the labels replace them in the report.
 */
const usage = 'npm run record:report -- A B NAME LABEL-A LABEL-B';

const [a, b, name, labelA, labelB] = take(wordsOf(usage, 5), 5);

function sideOf(text: string, label: string): ReturnType<typeof loadSide> {
  const side = namedSide(text);
  if (side.kind !== 'folder') throw new Error(`${text} is no run folder`);
  return loadSide(label, side.folder, side.kernel, []);
}

const { drawings: _, ...report } = compareSides({ a: sideOf(a, labelA), b: sideOf(b, labelB) });
// Paths of folders and kernels mean nothing elsewhere.
for (const side of [report.sides.a, report.sides.b]) {
  side.folder = '.';
  side.kernels = side.kernels.map((kernel) => ({ ...kernel, spec: side.asked }));
}
const folder = join(root, 'test', 'compare', 'fixtures', 'reports');
const path = join(folder, name);
writePacked(`${path}.json.gz`, stableJson({ schema: 1, ...report }));
fs.writeFileSync(`${path}.txt`, formatComparison({ ...report, drawings: new Map() }));
await tellChanges(relative(root, folder));
