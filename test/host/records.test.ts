// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { z } from 'zod';
import { cachePath } from '../../host/cache.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { given } from '../given.ts';

process.env.PTDIFF_CACHE = t.testdir();
const schema = z.strictObject({
  release: z.string(),
  sizes: z.array(z.number()),
  note: z.string().optional(),
});
const value = { release: '7.3.4', sizes: [1, 2], note: undefined };

t.test('a record survives a round', async (t) => {
  const path = cachePath('x/y.json');
  t.equal(await readRecord(path, schema), undefined);
  await writeRecord(path, value);
  t.same(await readRecord(path, schema), { release: '7.3.4', sizes: [1, 2] });
});

t.test(
  'a record of which any bit flipped, or any end is missing, is none, and that is said once',
  async (t) => {
    const path = cachePath('x/flipped.json');
    await writeRecord(path, value);
    const whole = await readFile(path);
    for (let bit = 0; bit < whole.length * 8; bit += 5) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = given(flipped[bit >> 3]) ^ (1 << (bit & 7));
      await writeFile(path, flipped);
      const read = await readRecord(path, schema);
      // White space between the members is no content.
      const blank = /\s/.test(String.fromCharCode(given(whole[bit >> 3])));
      if (!blank || read !== undefined)
        t.same(read, blank ? { release: '7.3.4', sizes: [1, 2] } : undefined, `bit ${bit}`);
    }
    for (const length of [0, 1, whole.length >> 1, whole.length - 4]) {
      await writeFile(path, whole.subarray(0, length));
      t.equal(await readRecord(path, schema), undefined, `${length} bytes`);
    }
    const lines: string[] = [];
    for (const _ of [1, 2]) await readRecord(path, schema, (line) => lines.push(line));
    t.same(lines, [
      'x/flipped.json in the cache is damaged, or from another ptdiff: it is made again',
    ]);
  },
);

t.test(
  'a record of an older ptdiff, without a hash of itself, counts as far as it fits the schema',
  async (t) => {
    const path = cachePath('x/old.json');
    await writeFile(path, '{"release": "7.3.4", "sizes": []}');
    t.same(await readRecord(path, schema), { release: '7.3.4', sizes: [] });
    await writeFile(path, '{"release": 7, "sizes": []}');
    t.equal(await readRecord(path, schema), undefined);
    await writeFile(path, '{"release": "7.3.4", "sizes": [], "more": 1}');
    t.equal(await readRecord(path, schema), undefined);
  },
);
