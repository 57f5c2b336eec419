// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { memblockArray, memblockBytes, memblockRegions } from '../../src/linux/memblock.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { unsignedInteger } from '../../src/linux/variables.ts';

/** struct memblock with three regions of memory and none reserved. */
function memblock(count: bigint, room: bigint): Uint8Array {
  const words = [
    0n,
    2n ** 64n - 1n,
    count,
    room,
    0x1000n,
    0xffff_8000_8211_0000n,
    0n,
    0n,
    1n,
    0n,
    0xabcn,
    0n,
  ];
  return new Uint8Array(BigUint64Array.from(words).buffer);
}

t.test('finds the arrays', (t) => {
  t.equal(memblock(3n, 128n).length, memblockBytes);
  t.same(memblockArray(memblock(3n, 128n), 'memory'), {
    address: 0xffff_8000_8211_0000n,
    count: 3,
  });
  t.same(memblockArray(memblock(3n, 128n), 'reserved'), { address: 0xabcn, count: 0 });
  t.end();
});

t.test('does not believe numbers that make no sense', (t) => {
  t.equal(memblockArray(memblock(129n, 128n), 'memory'), undefined);
  t.equal(memblockArray(memblock(2n ** 40n, 2n ** 41n), 'memory'), undefined);
  t.end();
});

t.test('decodes regions, whatever stands in the node number', (t) => {
  const words = [0x4000_0000n, 0x1000_0000n, 0xdead_beef_0000_0004n, 0x8_0000_0000n, 0x1000n, 0n];
  t.same(memblockRegions(new Uint8Array(BigUint64Array.from(words).buffer)), [
    { ...sizedRange(0x4000_0000, 0x1000_0000), flags: 4 },
    { ...sizedRange(0x8_0000_0000, 0x1000), flags: 0 },
  ]);
  t.end();
});

t.test('reads little-endian numbers of any length', (t) => {
  t.equal(unsignedInteger(Uint8Array.of(1)), 1n);
  t.equal(unsignedInteger(Uint8Array.of(0, 0x80, 0, 0, 0, 0, 0, 0, 1)), 2n ** 64n + 0x8000n);
  t.end();
});
