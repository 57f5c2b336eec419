// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { given } from '../given.ts';
import type { Setup } from './encode.ts';
import { BLOCK, CONTIGUOUS, onlyFault, PAGE, ROOT, sixteen, THREE, TWO, walkTree } from './tree.ts';

t.test('a low word that carries goes on with the run', (t) => {
  const result = walkTree((ram) => {
    for (let index = 0; index < 10; index++)
      ram.set(THREE, index, PAGE | BigInt(0xffff_b000 + index * 4096));
  });
  t.match(result.leaves, [{ pa: 0xffff_b000, size: 10 * 4096 }]);
  const alias = walkTree((ram) => {
    ram.set(THREE, 0, PAGE | 0x5_ffff_f000n);
    ram.set(THREE, 1, PAGE | 0x5_0000_0000n);
  });
  t.equal(alias.leaves.length, 2, 'a wrap within the low word does not');
  t.end();
});

t.test('entries of different levels never share a run', (t) => {
  const { leaves } = walkTree((ram) => {
    // Not valid, so that even the type bits are alike: a page at the end of a table, then a block
    // of the level above.
    ram.set(THREE, 511, 0x4ff_f000n | 0xf00n);
    ram.set(TWO, 1, 0x500_0000n | 0xf00n);
  });
  t.match(leaves, [
    { level: 3, size: 4096, pa: 0x4ff_f000 },
    { level: 2, size: 2 ** 21, pa: 0x500_0000 },
  ]);
  t.equal(leaves.length, 2);
  t.end();
});

t.test('contiguous groups', (t) => {
  const group = (change: (index: number) => bigint | undefined, base = 0x8001_0000n) =>
    walkTree((ram) => {
      for (let index = 0; index < 16; index++) {
        ram.set(
          THREE,
          16 + index,
          change(index) ?? PAGE | CONTIGUOUS | (base + BigInt(index * 4096)),
        );
      }
    });
  const whole = group(() => undefined);
  t.same(whole.malformed, []);
  t.match(whole.leaves, [{ va: 0x1_0000n, size: 0x1_0000, contiguous: true }]);
  onlyFault(
    t,
    group((index) => (index === 15 ? 0n : undefined)),
    /partial: entry 15 of 16/,
    { va: 0x1_0000n },
  );
  onlyFault(
    t,
    group((index) => (index === 0 ? 0n : undefined)),
    /partial: entry 0 of 16/,
    { va: 0x1_0000n, descriptor: 0n },
  );
  onlyFault(
    t,
    group((index) => (index === 7 ? PAGE | 0x8001_7000n : undefined)),
    /partial: entry 7/,
  );
  onlyFault(
    t,
    group((index) => (index === 7 ? 0x8001_7800n : undefined)),
    /partial: entry 7/,
  );
  for (const bit of [7n, 54n]) {
    const other = CONTIGUOUS | ((PAGE | 0x8001_3000n) ^ (1n << bit));
    const attributes = group((index) => (index === 3 ? other : undefined));
    onlyFault(t, attributes, /attributes of entry 3 differ/);
  }
  const address = group((index) => (index === 3 ? PAGE | CONTIGUOUS | 0x9001_3000n : undefined));
  onlyFault(t, address, /address of entry 3 does not follow/);
  onlyFault(
    t,
    group(() => undefined, 0x8000_1000n),
    /misaligned/,
    { va: 0x1_0000n },
  );
  t.match(
    group(() => undefined, 0x8000_1000n).leaves,
    [{ contiguous: true, pa: 0x8000_1000 }],
    'and is a leaf all the same',
  );
  const mixed = walkTree((ram) => {
    for (let index = 0; index < 40; index++)
      ram.set(THREE, index, PAGE | CONTIGUOUS | BigInt(0x8000_0000 + index * 4096));
  });
  onlyFault(t, mixed, /partial: entry 8 of 16/, { va: 0x2_0000n });
  t.match(mixed.leaves, [{ size: 40 * 4096 }], 'whole groups and the partial one after them');
  t.end();
});

t.test('how many entries make a group, by granule and level', async (t) => {
  const tables = { 1: ROOT, 2: TWO, 3: THREE };
  const groups: [Partial<Setup>, [level: 1 | 2 | 3, entries: number, shift: number][]][] = [
    [
      {},
      [
        [1, 16, 30],
        [2, 16, 21],
        [3, 16, 12],
      ],
    ],
    [
      sixteen,
      [
        [2, 32, 25],
        [3, 128, 14],
      ],
    ],
    [
      { granule: 65536, vaBits: 48 },
      [
        [2, 32, 29],
        [3, 32, 16],
      ],
    ],
  ];
  for (const [made, of] of groups) {
    for (const [level, count, shift] of of) {
      const group = (entries: number) =>
        walkTree(
          (ram) => {
            for (let index = count; index < count + entries; index++) {
              const descriptor = (level === 3 ? PAGE : BLOCK) | (BigInt(index) << BigInt(shift));
              ram.set(tables[level], index, descriptor | CONTIGUOUS);
            }
          },
          { setup: made },
        ).malformed;
      const name = `level ${level} of ${made.granule ?? 4096}`;
      t.same(group(count), [], name);
      t.match(group(count - 1), [{ reason: `partial: entry ${count - 1} of ${count}` }], name);
    }
  }
});

t.test('hardware may set flags in one entry of a group', (t) => {
  const DBM = 1n << 51n;
  const flagged = (bits: bigint, tcr: bigint, dirtyBit = DBM) =>
    walkTree(
      (ram) => {
        for (let index = 0; index < 16; index++) {
          const descriptor =
            PAGE | dirtyBit | CONTIGUOUS | 0x80n | BigInt(0x8000_0000 + index * 4096);
          ram.set(THREE, index, index === 4 ? descriptor ^ bits : descriptor);
        }
      },
      { registers: ({ TCR_EL1 }) => ({ TCR_EL1: TCR_EL1 | tcr }) },
    ).malformed.length;
  t.equal(flagged(0x400n, 0n), 1, 'AF without HA');
  t.equal(flagged(0x400n, 1n << 39n), 0, 'AF with HA');
  t.equal(flagged(0x80n, 1n << 39n), 1, 'AP[2] without HD');
  t.equal(flagged(0x80n, 3n << 39n), 0, 'AP[2] with HD');
  t.equal(flagged(0x80n, 3n << 39n, 0n), 1, 'AP[2] with HD but without DBM');
  t.equal(flagged(0x40n, 3n << 39n), 1, 'AP[1] never');
  t.end();
});

t.test('where the contiguous bit is reserved, or means something else', (t) => {
  const level = walkTree((ram) => ram.set(ROOT, 1, (0x80n << 36n) | BLOCK | CONTIGUOUS), {
    setup: { ...sixteen, wide: 'lpa2' },
  });
  t.match(level.malformed, [{ reason: /contiguous bit is reserved at level 1/ }]);
  t.equal(given(level.leaves[0]).contiguous, true);
  const isProtected = walkTree((ram) => ram.set(THREE, 1, PAGE | CONTIGUOUS), {
    registers: () => ({ TCR2_EL1: 1n }),
  });
  t.same(isProtected.malformed, [], 'TCR2_EL1.PnCH makes bit 52 the Protected attribute');
  t.equal(given(isProtected.leaves[0]).contiguous, false);
  t.end();
});
