// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fs } from 'zx';
import { stableJson } from '../src/stable-json.ts';
import { goldenFolder, goldenFrom, goldenNames } from '../test/model/golden.ts';
import { goldenVersion } from '../test/model/golden-schema.ts';
import { root, tellChanges, writePacked } from './script.ts';

/*
 * Converts recorded boots from version 2 to version 3. One trait stood for five rules of map_mem(),
 * which were introduced by one series in 7.2: 05c5c31e9d8d, 28becb2c1d74, a64293e993f6,
 * d672a4b72c95 and ecda73ae92ca. A recorded kernel has all of them or none: arch/arm64/mm/mmu.c of
 * 7.2.13 and 7.3.4 has all, that of 6.12.117, 6.18.15 and 7.1.13 none. What was observed does not
 * change, nor does a recording that already has version 3.
 *
 *     npm run convert:golden
 */
for (const name of goldenNames()) {
  const path = join(goldenFolder, name);
  const recorded = JSON.parse(gunzipSync(fs.readFileSync(path)).toString());
  if (recorded.schema !== 2) continue;
  const { traits } = recorded.question;
  const all = traits.contiguousMayChange;
  const five = {
    mapsKernelFirst: all,
    keepsTables: all,
    keepsSingleLeaves: all,
    contiguousMayChange: all,
    protectsContiguously: all,
  };
  const question = { ...recorded.question, traits: { ...traits, ...five } };
  const text = stableJson({ ...recorded, schema: goldenVersion, question });
  goldenFrom(name, text);
  writePacked(path, text);
}
await tellChanges(relative(root, goldenFolder));
