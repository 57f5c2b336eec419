// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fs } from 'zx';
import { loadKernel } from '../harness/laboratory/loaded-kernel.ts';
import { stableJson } from '../src/stable-json.ts';
import { differences, goldenFolder, goldenFrom } from '../test/model/golden.ts';
import { goldenVersion } from '../test/model/golden-schema.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/**
 * Adds traits that are newer than a recorded boot to it, read from the Image of exactly that
 * kernel; what was observed does not change. If the model now compares something new, record the
 * boot again instead.
 */
const usage = 'npm run complete:golden -- KERNEL CASE...';

const [spec = '', ...names] = wordsOf(usage, 2);
const { image, traits } = await loadKernel(spec);
for (const name of names) {
  const path = join(goldenFolder, `${name}.json.gz`);
  const recorded = JSON.parse(gunzipSync(fs.readFileSync(path)).toString());
  const [release] = name.split('@');
  if (image.release !== release)
    throw new Error(`${name} was not recorded on ${spec}, which is ${image.release}`);
  const { world } = recorded.question.machine;
  // Only a realm shares memory: before realms were modelled this was not recorded.
  const facts =
    world === 'realm' ? recorded.question.facts : { sharing: [], ...recorded.question.facts };
  const whole = (unobserved: string[]) =>
    stableJson({
      ...recorded,
      schema: goldenVersion,
      image: image.sha256,
      unrecorded: [],
      unobserved,
      from: `${recorded.from.replace(/; traits of the same Image$/, '')}; traits of the same Image`,
      question: { ...recorded.question, traits, facts },
    });
  // A variable that the model has only predicted since then was never read.
  const absent = differences(goldenFrom(name, whole([]))).flatMap(
    (id) => /^mismatch\/variable\/(\w+)\/absent@/.exec(id)?.[1] ?? [],
  );
  const text = whole([...new Set(absent)]);
  const left = differences(goldenFrom(name, text));
  if (left.length > 0) throw new Error(`${name} must be recorded again: ${left[0]}`);
  writePacked(path, text);
  await tellChanges(relative(root, path));
}
