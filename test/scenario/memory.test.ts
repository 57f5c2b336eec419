// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { memoryRanges, ramRanges } from '../../src/scenario/memory.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';

const machine: Machine = { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' };
const K = 1024;
const base = 0x4000_0000;

t.test('without nodes there is one range', async (t) => {
  t.same(ramRanges(machine), [sizedRange(base, 2 ** 30)]);
});

t.test('nodes in any order; those that touch are one', async (t) => {
  const nodes = [
    [{ start: base + 32 * K, size: 4 * K }],
    [
      { start: base + 4 * K, size: 4 * K },
      { start: base, size: 4 * K },
    ],
  ];
  t.same(ramRanges({ memory: 1024, nodes }), [
    sizedRange(base, 8 * K),
    sizedRange(base + 32 * K, 4 * K),
  ]);
  t.equal(given(given(nodes[1])[1]).size, 4 * K, 'the question stays as it was');
});

t.test('each range is rounded inward to pages before ranges become one', async (t) => {
  const nodes = [
    [{ start: base, size: 68 * K }],
    [{ start: base + 68 * K, size: 60 * K + 64 * K }],
    [{ start: base + 512 * K, size: 32 * K }],
  ];
  t.same(ramRanges({ memory: 1024, nodes }, 64 * K), [
    sizedRange(base, 64 * K),
    sizedRange(base + 128 * K, 64 * K),
  ]);
});

t.test('a hole lies in the node that it is in', async (t) => {
  const nodes = [[{ start: base, size: 512 * K }], [{ start: base + 1024 * K, size: 512 * K }]];
  const holes = [
    { start: base + 1024 * K, size: 64 * K },
    { start: base + 128 * K, size: 64 * K },
  ];
  t.same(memoryRanges({ ...machine, nodes, holes }), [
    { start: base, end: base + 128 * K },
    { start: base + 192 * K, end: base + 512 * K },
    { start: base + 1088 * K, end: base + 1536 * K },
  ]);
});
