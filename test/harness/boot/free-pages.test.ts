// SPDX-License-Identifier: GPL-2.0-only

import t from 'tap';
import { readFreePages } from '../../../harness/boot/free-pages.ts';
import { KernelMemory } from '../../../harness/boot/kernel-memory.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';
import { structPageBytes } from '../../../src/linux/struct-page.ts';
import type { LeafRun } from '../../../src/vmsa/types.ts';

const granule = 4096;
const ram = 0x4000_0000;
const vmemmap = 0xffff_fdff_c000_0000n;
const MiB = 2 ** 20;

/**
 * A vmemmap for `bytes` of memory in which every page is in use, but for free blocks at the given
 * pages, by their order.
 */
function memoryWith(bytes: number, blocks: Record<number, number>): KernelMemory {
  const pages = Buffer.alloc((bytes / granule) * structPageBytes);
  for (let page = 0; page < bytes / granule; page++) {
    const order = blocks[page];
    const at = page * structPageBytes;
    pages.writeUInt32LE(order === undefined ? 0xffff_ffff : 0xf000_0000, at + 48);
    pages.writeUInt32LE(order === undefined ? 1 : 0, at + 52);
    pages.writeUInt32LE(order ?? 0, at + 40);
  }
  const run = {
    va: vmemmap,
    pa: 0,
    size: pages.length,
    level: 2,
    contiguous: false,
    valid: true,
  } as const;
  const leaf: LeafRun = { ...run, attributes: 0n, tableAttributes: 0 };
  return new KernelMemory([leaf], (pa, count) => pages.subarray(pa, pa + count));
}

const region = (start: number, size: number) => ({ ...sizedRange(start, size), flags: 0 });
const variables = { memstart_addr: BigInt(ram) };

t.test('every region of memory is read, however large', async (t) => {
  // 512 MiB are more than is read at a time.
  const memory = memoryWith(512 * MiB, {
    3: 0,
    [(256 * MiB) / granule - 1024]: 10,
    [(256 * MiB) / granule]: 10,
  });
  const memblock = [region(ram, 400 * MiB), region(ram + 401 * MiB, 111 * MiB)];
  const free = readFreePages({ memblock, variables }, memory, vmemmap, granule, 512 * MiB) ?? [];
  t.same(
    free.map(({ start, end }) => [start - ram, end - ram]),
    [
      [3 * granule, 4 * granule],
      [252 * MiB, 256 * MiB],
      [256 * MiB, 260 * MiB],
    ],
  );
});

t.test('memory that cannot be there is not read', async (t) => {
  const memory = memoryWith(4 * MiB, {});
  const read = (size: number, ramBytes: number) =>
    readFreePages({ memblock: [region(ram, size)], variables }, memory, vmemmap, granule, ramBytes);
  t.same(read(4 * MiB, 4 * MiB), []);
  t.equal(read(8 * MiB, 4 * MiB), undefined, 'more than RAM has');
  t.equal(read(8 * MiB, 8 * MiB), undefined, 'not mapped');
  t.equal(
    readFreePages(
      { memblock: [region(ram, 4 * MiB)], variables: {} },
      memory,
      vmemmap,
      granule,
      4 * MiB,
    ),
    undefined,
    'without memstart_addr',
  );
});
