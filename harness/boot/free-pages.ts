// SPDX-License-Identifier: GPL-2.0-only

import type { Capture } from '../../src/evidence/capture.ts';
import { sizeOf } from '../../src/linux/physical-range.ts';
import { freeFrames, structPageBytes } from '../../src/linux/struct-page.ts';
import type { KernelMemory } from './kernel-memory.ts';

/**
 * Number of page frames whose struct pages are read at a time: 4 MiB; a multiple of every block
 * size of the page allocator.
 */
const atATime = 2 ** 16;

/**
 * Memory that the page allocator considers free, according to the struct pages of memblock's
 * ranges.
 * @param vmemmap address of the array of struct page (VMEMMAP_START)
 * @param granule bytes of a page
 * @param ramBytes size of RAM; a memblock with more than that is not plausible
 * @returns undefined where there is no such array
 */
export function readFreePages(
  { memblock, variables }: Pick<Capture, 'memblock' | 'variables'>,
  memory: KernelMemory,
  vmemmap: bigint,
  granule: number,
  ramBytes: number,
): Capture['freePages'] {
  if (!memblock || variables.memstart_addr === undefined) return undefined;
  if (sizeOf(...memblock) > ramBytes) return undefined;
  const memstart = BigInt.asIntN(64, variables.memstart_addr) / BigInt(granule);
  const readWord = (address: bigint): bigint | undefined =>
    memory.read(address, 8)?.readBigUInt64LE();
  const free: NonNullable<Capture['freePages']> = [];
  for (const region of memblock) {
    const lastPfn = Math.floor(region.end / granule);
    for (let firstPfn = Math.ceil(region.start / granule); firstPfn < lastPfn; ) {
      const endPfn = Math.min(lastPfn, (Math.floor(firstPfn / atATime) + 1) * atATime);
      const address = vmemmap + (BigInt(firstPfn) - memstart) * BigInt(structPageBytes);
      const bytes = memory.read(address, (endPfn - firstPfn) * structPageBytes);
      if (!bytes) return undefined;
      for (const { start, end } of freeFrames({ bytes, address, firstPfn }, readWord)) {
        free.push({ start: start * granule, end: end * granule });
      }
      firstPfn = endPfn;
    }
  }
  return free;
}
