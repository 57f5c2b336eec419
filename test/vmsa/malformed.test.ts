// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { SystemRegisters } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';
import { encodeRegisters, FakeRam } from './encode.ts';
import {
  BLOCK,
  CONTIGUOUS,
  onlyFault,
  PAGE,
  ROOT,
  setup,
  sixteen,
  TABLE,
  THREE,
  TWO,
  walkTree,
} from './tree.ts';

t.test('reserved types and levels translate nothing, and the walk goes on', (t) => {
  const page = walkTree((ram) => {
    ram.set(THREE, 5, 0x5000_0000n | 0x701n);
    ram.set(THREE, 6, 0x5000_0000n | PAGE);
  });
  onlyFault(t, page, /0b01 is reserved at level 3/, {
    va: 0x5000n,
    level: 3,
    at: Number(THREE) + 40,
    descriptor: 0x5000_0701n,
  });
  t.match(page.leaves, [{ va: 0x6000n }]);
  t.equal(page.leaves.length, 1);

  const levelZero = walkTree((ram) => ram.set(ROOT, 1, BLOCK), { setup: { vaBits: 48 } });
  t.match(levelZero.malformed[0], { reason: /Blocks are reserved at level 0/, va: 1n << 39n });
  const sixteenK = walkTree((ram) => ram.set(ROOT, 1, BLOCK), { setup: sixteen });
  onlyFault(t, sixteenK, /Blocks are reserved at level 1/);
  const sixtyFourK = walkTree((ram) => ram.set(ROOT, 1, BLOCK), {
    setup: { granule: 65536, vaBits: 48 },
  });
  t.match(sixtyFourK.malformed, [{ reason: /Blocks are reserved at level 1/ }]);
  const byDs = walkTree((ram) => ram.set(ROOT, 1, BLOCK & ~0x300n), {
    setup: { ...sixteen, wide: 'lpa2' },
    registers: ({ TCR_EL1 }) => ({ TCR_EL1: TCR_EL1 - (1n << 32n) }),
  });
  t.same(byDs.malformed, [], 'DS allows them with 16K, whatever the output size');
  const levelMinusOne = walkTree((ram) => ram.set(ROOT, 1, BLOCK), {
    setup: { vaBits: 52, wide: 'lpa2' },
  });
  t.match(levelMinusOne.malformed[0], { reason: /Blocks are reserved at level -1/ });
  t.end();
});

t.test('bits that must be 0 are reported, and the leaf is kept as found', (t) => {
  const low = walkTree((ram) => ram.set(TWO, 1, BLOCK | 0x8020_0000n | 0x2000n));
  onlyFault(t, low, /block is misaligned/, { level: 2 });
  t.match(low.leaves, [{ pa: 0x8020_0000, attributes: BLOCK | 0x2000n }]);
  const nT = walkTree((ram) => ram.set(TWO, 1, BLOCK | 0x8020_0000n | 0x1_0000n));
  t.same(nT.malformed, [], 'bit 16 of a block is nT');
  t.match(nT.leaves, [{ pa: 0x8020_0000, attributes: BLOCK | 0x1_0000n }]);
  for (const bit of [48n, 49n]) {
    const high = walkTree((ram) => ram.set(THREE, 0, PAGE | (1n << bit)));
    onlyFault(t, high, /page has bits set that must be 0/);
    t.match(high.leaves, [{ pa: 0, attributes: PAGE | (1n << bit) }]);
  }
  for (const bit of [48n, 49n, 50n]) {
    const table = walkTree((ram) => {
      ram.set(TWO, 0, THREE | TABLE | (1n << bit));
      ram.set(THREE, 0, PAGE);
    });
    onlyFault(t, table, /table descriptor has bits set/, { level: 2, at: Number(TWO) });
    t.equal(table.leaves.length, 1, 'the table is walked');
    t.equal(given(table.tables[2]).attributes, TABLE | (1n << bit));
  }
  const sixteenK = walkTree((ram) => ram.set(THREE, 0, PAGE | 0x1000n), { setup: sixteen });
  onlyFault(t, sixteenK, /page has bits set/);
  const sixteenKTable = walkTree((ram) => ram.set(TWO, 0, THREE | TABLE | 0x1000n), {
    setup: sixteen,
  });
  onlyFault(t, sixteenKTable, /table descriptor has bits set/, { at: Number(TWO) });
  t.end();
});

t.test('a fault is reported once for a run of equal entries', (t) => {
  const result = walkTree((ram) => {
    for (let index = 0; index < 100; index++)
      ram.set(THREE, index, PAGE | (1n << 48n) | BigInt(index * 4096));
  });
  onlyFault(t, result, /page has bits set/, { va: 0n });
  t.match(result.leaves, [{ size: 100 * 4096 }]);
  const carried = walkTree((ram) => {
    ram.set(THREE, 0, PAGE | (1n << 48n) | 0xffff_f000n);
    ram.set(THREE, 1, PAGE | (1n << 48n) | 0x1_0000_0000n);
  });
  onlyFault(t, carried, /page has bits set/, { va: 0n });
  t.match(carried.leaves, [{ size: 2 * 4096 }]);
  t.end();
});

t.test('entries of a group that hardware may change, and those that are none of it', (t) => {
  // Entry 5 differs in one way.
  const group = (change: bigint, registers: Partial<SystemRegisters> = {}) =>
    walkTree(
      (ram) => {
        for (let index = 0; index < 16; index++) {
          const entry = PAGE | CONTIGUOUS | BigInt(index * 4096);
          ram.set(THREE, index, index === 5 ? entry ^ change : entry);
        }
      },
      { registers: ({ TCR_EL1 }) => ({ TCR_EL1: TCR_EL1 | (3n << 39n), ...registers }) },
    );
  onlyFault(t, group(1n), /partial: entry 5 of 16/);
  const indirect = { TCR2_EL1: 2n, PIR_EL1: 0n, PIRE0_EL1: 0n };
  t.same(group(1n << 7n, indirect).malformed, [], 'nDirty, with permission indirection');
  onlyFault(t, group(1n << 7n), /attributes of entry 5 differ/);
  t.end();
});

t.test('an entry that is 0 in its low word only is one', (t) => {
  const { leaves } = walkTree((ram) => ram.set(THREE, 2, 1n << 54n));
  t.match(leaves, [{ va: 0x2000n, valid: false, attributes: 1n << 54n }]);
  t.equal(leaves.length, 1);
  t.end();
});

t.test('addresses that do not fit the output size', (t) => {
  const narrow = {
    registers: ({ TCR_EL1 }: SystemRegisters) => ({ TCR_EL1: TCR_EL1 & ~(7n << 32n) }),
  };
  const crossing = walkTree((ram) => {
    ram.set(THREE, 0, PAGE | 0xffff_f000n);
    ram.set(THREE, 1, PAGE | 0x1_0000_0000n);
    ram.set(THREE, 2, PAGE | 0x1_0000_1000n);
  }, narrow);
  t.match(crossing.malformed, [
    { reason: /output address does not fit into 32 bits/, va: 0x1000n },
    { reason: /32 bits/, va: 0x2000n },
  ]);
  t.match(crossing.leaves, [{ pa: 0xffff_f000, size: 4096 }]);
  t.equal(crossing.leaves.length, 1);
  const table = walkTree((ram) => ram.set(TWO, 0, 0x1_0000_0000n | TABLE), narrow);
  onlyFault(t, table, /table address does not fit into 32 bits/, { va: 0n, level: 2 });
  const wrap = walkTree((ram) => {
    ram.set(THREE, 0, PAGE | 0xffff_ffff_f000n);
    ram.set(THREE, 1, PAGE | (1n << 48n));
  });
  t.match(
    wrap.leaves,
    [
      { pa: 0xffff_ffff_f000, size: 4096 },
      { pa: 0, size: 4096 },
    ],
    'a carry out of the field is no run',
  );
  onlyFault(t, wrap, /bits set that must be 0/, { va: 0x1000n });
  const upper = walkTree((ram) => ram.set(THREE, 0, PAGE | 0x1000n), {
    setup: { granule: 65536, vaBits: 48 },
  });
  onlyFault(t, upper, /output address does not fit into 48 bits/);
  t.end();
});

t.test('tables that cannot be read or lead back', (t) => {
  const outside = walkTree((ram) => {
    ram.set(TWO, 1, 0x9999_0000n | TABLE);
    ram.set(TWO, 2, BLOCK);
  });
  onlyFault(t, outside, /table lies outside RAM/, {
    va: 0x20_0000n,
    level: 2,
    at: Number(TWO) + 8,
  });
  t.match(outside.leaves, [{ va: 0x40_0000n }]);
  for (const above of [ROOT, TWO]) {
    const cycle = walkTree((ram) => ram.set(TWO, 1, above | TABLE));
    onlyFault(t, cycle, /points back to a table above it/, { va: 0x20_0000n });
  }
  const shared = walkTree((ram) => {
    ram.set(TWO, 1, THREE | TABLE);
    ram.set(THREE, 0, PAGE);
  });
  t.same(shared.malformed, [], 'a table on two paths is shared, not a cycle');
  t.equal(shared.leaves.length, 2);
  const root = walk(stage1Regime(encodeRegisters(setup(), 0x7000_0000n), 'ttbr0'), new FakeRam());
  onlyFault(t, root, /first table lies outside RAM/, { va: 0n, level: 1, descriptor: 0n });
  t.notOk('at' in given(root.malformed[0]), 'no descriptor leads there');
  t.end();
});

t.test('reserved memory type and shareability', (t) => {
  const type = walkTree((ram) => ram.set(THREE, 0, PAGE), {
    registers: () => ({ MAIR_EL1: 0x70n }),
  });
  onlyFault(t, type, /memory type is reserved \(MAIR attribute reserved\(0x70\)\)/);
  const shared = (index: bigint) =>
    walkTree((ram) => ram.set(THREE, 0, (PAGE & ~0x300n) | 0x100n | (index << 2n)));
  onlyFault(t, shared(4n), /shareability 0b01 is reserved/);
  t.same(shared(0n).malformed, [], 'Device memory has no shareability');
  const wide = walkTree((ram) => ram.set(THREE, 0, (PAGE & ~0x300n) | 0x100n | (4n << 2n)), {
    setup: { wide: 'lpa2' },
  });
  t.same(wide.malformed, [], 'with LPA2 the bits are of the address');
  t.end();
});

t.test('a hostile guest cannot make a walk endless or fill memory', (t) => {
  // Every entry of every level leads to the next table: 2^27 paths with three tables.
  const ram = new FakeRam();
  const small = { size: 2 ** 20, table: (pa: number, bytes: number) => ram.table(pa, bytes) };
  for (const table of [ROOT, TWO, THREE]) ram.add(table, 512);
  for (let index = 0; index < 512; index++) {
    ram.set(ROOT, index, TWO | TABLE);
    ram.set(TWO, index, THREE | TABLE);
    ram.set(THREE, index, PAGE | BigInt((index % 2) * 0x8000_0000));
  }
  const regime = stage1Regime(encodeRegisters(setup(), ROOT), 'ttbr0');
  const bounded = walk(regime, small);
  t.equal(bounded.tables.length, 256, 'no more tables than fit into RAM');
  t.match(bounded.malformed, [{ reason: /ended after 256 tables, more than RAM can hold/ }]);
  const few = walk(regime, small, { leaves: 100 });
  t.equal(few.leaves.length, 100);
  t.match(few.malformed, [{ reason: /ended after 100 runs/ }]);
  for (let index = 0; index < 512; index++) ram.set(THREE, index, 1n);
  const faults = walk(regime, small, { malformed: 50 });
  t.equal(faults.malformed.length, 51);
  t.match(faults.malformed[50], {
    reason: /ended after 50 malformed entries/,
    descriptor: 0n,
  });
  const tiny = { ...small, size: 9.5 * 4096 };
  t.equal(walk(regime, tiny).tables.length, 9, 'whole tables only');
  t.equal(walk(regime, { ...small, size: 4096 }).tables.length, 8, 'a few in any case');
  ram.set(THREE, 0, (PAGE & ~0x300n) | 0x100n | (4n << 2n) | (1n << 48n));
  const [fault, end, ...more] = walk(regime, small, { malformed: 1 }).malformed;
  t.match(fault, { reason: /bits set that must be 0/ });
  t.match(end, { reason: /ended after 1 malformed/ });
  t.same(more, [], 'the second fault of an entry is too much, too');
  t.end();
});

t.test('a walk tells the reader that it begins, before it reads', (t) => {
  const calls: string[] = [];
  const ram = {
    size: 2 ** 20,
    begin: () => void calls.push('begin'),
    table: () => {
      calls.push('table');
      return undefined;
    },
  };
  walk(stage1Regime(encodeRegisters(setup(), ROOT), 'ttbr0'), ram);
  t.same(calls, ['begin', 'table']);
  const off = { ...encodeRegisters(setup(), ROOT), SCTLR_EL1: 0n };
  t.same(walk(stage1Regime(off, 'ttbr0'), ram), { leaves: [], tables: [], malformed: [] });
  t.equal(calls.length, 2, 'where nothing is translated, nothing is read');
  t.end();
});

t.test('malformed entries come in ascending address', (t) => {
  const { malformed } = walkTree((ram) => {
    for (let index = 3; index < 16; index++)
      ram.set(THREE, index, PAGE | CONTIGUOUS | 0x8000_0000n | (1n << 48n));
    ram.set(TWO, 3, 1n);
    ram.set(TWO, 4, 0x9999_0000n | TABLE);
    // A page that is reserved at the beginning of a group: the group is found broken after it.
    ram.set(THREE, 17, 1n);
    ram.set(THREE, 18, PAGE | CONTIGUOUS | 0x8001_2000n);
  });
  t.ok(malformed.length > 3);
  const second = malformed.filter(({ va }) => va >= 0x1_0000n && va < 0x2_0000n);
  t.match(second, [
    { va: 0x1_0000n, reason: /group is partial/ },
    { va: 0x1_1000n, reason: /0b01 is reserved/ },
  ]);
  t.ok(
    malformed.every((entry, index) => index === 0 || given(malformed[index - 1]).va <= entry.va),
  );
  t.end();
});
