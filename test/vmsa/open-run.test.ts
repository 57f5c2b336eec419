// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  type DescriptorLayout,
  descriptorLayouts,
  split,
} from '../../src/vmsa/descriptor-layout.ts';
import { OpenRun, type Table } from '../../src/vmsa/open-run.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { Level } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { encodeRegisters } from './encode.ts';
import { BLOCK, PAGE, setup } from './tree.ts';

const layouts = descriptorLayouts(
  stage1Regime(encodeRegisters(setup({ vaBits: 52, wide: 'lpa2' }), 0x1000n), 'ttbr0'),
);

/** A run of one leaf, and the table behind it with consecutive entries from `first` on. */
interface Situation {
  level: Level;
  leaf: bigint;
  first: bigint;
  table: Partial<Table>;
}

/** How many entries of the table follow the run, as isFollowedBy() knows and follow() compares. */
function followed({ level, leaf, first, table }: Situation): { whole: boolean; entries: number } {
  const layout: DescriptorLayout = given(layouts.get(level));
  const size = 2 ** layout.shift;
  const before: Table = { pa: 0, level, entries: 512, offset: 0, inherited: 0 };
  const run = new OpenRun();
  const { low, high } = split(leaf);
  run.open(before, layout, low, high, 0);
  const next: Table = { ...before, offset: size, ...table };
  const words = new Uint32Array(2 * next.entries);
  for (let index = 0; index < next.entries; index++) {
    const entry = split(first + BigInt(index * size));
    words.set([entry.low, entry.high], 2 * index);
  }
  const whole = run.isFollowedBy(next, layout, split(first));
  return { whole, entries: run.follow(next, layout, words, 0) };
}

t.test('a table follows a run as a whole exactly when each of its entries does', async (t) => {
  const page = PAGE | 0x4000_0000n;
  const sound: Situation = { level: 3, leaf: page, first: page + 0x1000n, table: {} };
  t.same(followed(sound), { whole: true, entries: 512 });
  const broken: [string, Partial<Situation>][] = [
    ['a hole in the addresses', { table: { offset: 0x2000 } }],
    ['another level', { table: { level: 2 } }],
    ['other attributes above', { table: { inherited: 1 } }],
    ['another address', { first: page + 0x2000n }],
    ['another bit in the high word', { first: (page + 0x1000n) ^ (1n << 54n) }],
    ['a block of 512 GiB', { level: 0, leaf: BLOCK, first: BLOCK + 2n ** 39n }],
  ];
  for (const [name, change] of broken)
    t.same(followed({ ...sound, ...change }), { whole: false, entries: 0 }, name);
});

t.test('up to the carry into the high word, and no further', async (t) => {
  // The entries end at 4 GiB, or one of them lies behind.
  const ending = (entries: number, attributes = PAGE) => {
    const first = attributes | BigInt(2 ** 32 - entries * 4096);
    return followed({ level: 3, leaf: first - 0x1000n, first, table: {} });
  };
  t.same(ending(512), { whole: true, entries: 512 });
  t.same(ending(511), { whole: false, entries: 511 });
  t.same(ending(510), { whole: false, entries: 510 });
  // An entry that is not valid, without a bit in the low word.
  t.same(ending(512, 1n << 54n), { whole: true, entries: 512 });
  t.same(ending(511, 1n << 54n), { whole: false, entries: 511 });
});

t.test('nothing follows where no run is open', async (t) => {
  const layout = given(layouts.get(3));
  const table: Table = { pa: 0, level: 3, entries: 512, offset: 0x1000, inherited: 0 };
  const run = new OpenRun();
  t.notOk(run.isFollowedBy({ ...table, offset: -1 }, layout, { low: 0, high: 0 }));
  const { low, high } = split(PAGE);
  run.open(table, layout, low, high, 0);
  run.close();
  t.notOk(run.isFollowedBy({ ...table, offset: 0 }, layout, split(PAGE + 0x1000n)));
});
