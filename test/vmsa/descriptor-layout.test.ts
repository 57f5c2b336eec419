// SPDX-License-Identifier: GPL-2.0-only
/** Where each bit of a descriptor belongs (DDI 0487 D8.3.1): it is looked at one by one. */
import t from 'tap';
import {
  type DescriptorLayout,
  descriptorLayouts,
  join,
  leafAttributes,
  nextTable,
  outputAddress,
  tableDescriptorAttributes,
} from '../../src/vmsa/descriptor-layout.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { Granule, Level } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { encodeRegisters, type Setup } from './encode.ts';
import { setup } from './tree.ts';

const bits = Array.from({ length: 64 }, (_, bit) => bit);
const from = (low: number, high: number): number[] => bits.slice(low, high + 1);

function layoutsOf(granule: Granule, vaBits: number, wide: Setup['wide']) {
  return descriptorLayouts(
    stage1Regime(encodeRegisters(setup({ granule, vaBits, wide }), 0n), 'ttbr0'),
  );
}

const words = (bit: number): [lo: number, hi: number] =>
  bit < 32 ? [(1 << bit) >>> 0, 0] : [0, (1 << (bit - 32)) >>> 0];

/** Bits of a descriptor that become bits of an address, as [bit, address bit]. */
function moved(address: (lo: number, hi: number) => number): [number, number][] {
  return bits.flatMap((bit): [number, number][] => {
    const value = address(...words(bit));
    return value === 0 ? [] : [[bit, Math.log2(value)]];
  });
}

const inPlace = (list: readonly number[]): [number, number][] => list.map((bit) => [bit, bit]);
const setBits = (low: number, high: number): number[] =>
  bits.filter((bit) => (join(low, high) >> BigInt(bit)) & 1n);

/** Address bits at another place: OA[51:48] in bits 15:12, or OA[51:50] in bits 9:8. */
function upperBits(granule: Granule, wide: Setup['wide']): [number, number][] {
  if (granule === 65536) return from(12, 15).map((bit) => [bit, bit + 36]);
  return wide === 'lpa2' ? from(8, 9).map((bit) => [bit, bit + 42]) : [];
}

interface Expected {
  level: Level;
  shift: number;
  blocks: boolean;
  group: number;
}

const cases: [Granule, vaBits: number, wide: Setup['wide'], page: number, Expected[]][] = [
  [
    4096,
    48,
    'no',
    12,
    [
      { level: 0, shift: 39, blocks: false, group: 0 },
      { level: 1, shift: 30, blocks: true, group: 16 },
      { level: 2, shift: 21, blocks: true, group: 16 },
      { level: 3, shift: 12, blocks: false, group: 16 },
    ],
  ],
  [
    4096,
    52,
    'lpa2',
    12,
    [
      { level: -1, shift: 48, blocks: false, group: 0 },
      { level: 0, shift: 39, blocks: true, group: 0 },
      { level: 1, shift: 30, blocks: true, group: 16 },
      { level: 2, shift: 21, blocks: true, group: 16 },
      { level: 3, shift: 12, blocks: false, group: 16 },
    ],
  ],
  [
    16384,
    48,
    'no',
    14,
    [
      { level: 0, shift: 47, blocks: false, group: 0 },
      { level: 1, shift: 36, blocks: false, group: 0 },
      { level: 2, shift: 25, blocks: true, group: 32 },
      { level: 3, shift: 14, blocks: false, group: 128 },
    ],
  ],
  [
    16384,
    52,
    'lpa2',
    14,
    [
      { level: 0, shift: 47, blocks: false, group: 0 },
      { level: 1, shift: 36, blocks: true, group: 0 },
      { level: 2, shift: 25, blocks: true, group: 32 },
      { level: 3, shift: 14, blocks: false, group: 128 },
    ],
  ],
  [
    65536,
    48,
    'no',
    16,
    [
      { level: 1, shift: 42, blocks: false, group: 0 },
      { level: 2, shift: 29, blocks: true, group: 32 },
      { level: 3, shift: 16, blocks: false, group: 32 },
    ],
  ],
];

t.test('each bit of a descriptor is part of an address, of the attributes, or must be 0', (t) => {
  for (const [granule, vaBits, wide, page, levels] of cases) {
    const layouts = layoutsOf(granule, vaBits, wide);
    t.same(
      [...layouts.keys()],
      levels.map(({ level }) => level),
    );
    const top = wide === 'lpa2' ? 49 : 47;
    const high = upperBits(granule, wide);
    const highBits = high.map(([bit]) => bit);
    const reserved = wide === 'lpa2' ? [] : [48, 49];
    for (const { level, shift, blocks, group } of levels) {
      const name = `${granule} ${wide} level ${level}`;
      const layout: DescriptorLayout = given(layouts.get(level));
      t.match(layout, { level, shift, blocks, groupEntries: group }, name);
      const leaf = from(shift, top);
      const table = from(page, top);
      const sorted = (list: [number, number][]) => list.sort(([a], [b]) => a - b);
      t.same(
        moved((lo, hi) => outputAddress(layout, lo, hi)),
        sorted([...inPlace(leaf), ...high]),
        `${name}: output address`,
      );
      t.same(
        moved((lo, hi) => nextTable(layout, lo, hi)),
        sorted([...inPlace(table), ...high]),
        `${name}: next table`,
      );
      const rest = (taken: readonly number[]) =>
        bits.filter((bit) => !taken.includes(bit) && !highBits.includes(bit));
      t.same(
        bits.filter((bit) => leafAttributes(layout, ...words(bit)) === 1n << BigInt(bit)),
        rest(leaf),
        `${name}: attributes of a leaf`,
      );
      t.same(
        bits.filter(
          (bit) => tableDescriptorAttributes(layout, ...words(bit)) === 1n << BigInt(bit),
        ),
        rest(table),
        `${name}: attributes of a table`,
      );
      // Bit 16 of a block is nT.
      const gap = from(12, Math.min(shift - 1, top)).filter(
        (bit) => bit !== 16 && !highBits.includes(bit),
      );
      t.same(
        setBits(layout.leafZeroLow, layout.leafZeroHigh),
        [...gap, ...reserved],
        `${name}: must be 0 in a leaf`,
      );
      t.same(
        setBits(layout.tableZeroLow, layout.tableZeroHigh),
        [...from(12, page - 1).filter((bit) => !highBits.includes(bit)), ...reserved, 50],
        `${name}: must be 0 in a table descriptor`,
      );
      for (const mask of [layout.outputLow, layout.tableLow, layout.leafZeroLow])
        t.equal(mask, mask | 0, 'as bit operators produce it');
    }
  }
  t.end();
});

t.test('no group where bit 52 is the Protected attribute; 1 TiB blocks by the output size', (t) => {
  const regime = stage1Regime(encodeRegisters(setup({ granule: 65536, vaBits: 48 }), 0n), 'ttbr0');
  const at = (change: object) => descriptorLayouts({ ...regime, ...change });
  t.equal(at({ outputBits: 52 }).get(1)?.blocks, true);
  t.equal(at({ outputBits: 48 }).get(1)?.blocks, false);
  t.same(
    [...at({ protectedBit: true }).values()].map(({ groupEntries }) => groupEntries),
    [0, 0, 0],
  );
  t.end();
});
