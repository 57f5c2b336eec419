// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange } from './physical-range.ts';

/**
 * A range of physical memory that memblock knows (struct memblock_region,
 * include/linux/memblock.h).
 */
export interface MemblockRegion extends PhysicalRange {
  /** enum memblock_flags: 1 hotplug, 2 mirror, 4 nomap, … */
  flags: number;
}

/** Flags of a region: enum memblock_flags. */
export const MEMBLOCK_HOTPLUG = 1;
export const MEMBLOCK_NOMAP = 4;
export const MEMBLOCK_DRIVER_MANAGED = 8;

/** Bytes of struct memblock that are read; it may have more members after them. */
export const memblockBytes = 96;
/** sizeof(struct memblock_region), with and without CONFIG_NUMA. */
export const memblockRegionBytes = 24;
/** More regions than this are not plausible: the array of a real machine has some hundreds. */
const maximumRegions = 1 << 16;

/**
 * Finds the array of memory regions in the bytes of `struct memblock memblock`: bottom_up (bool),
 * current_limit, then for `memory` and again for `reserved`: cnt, max, total_size, regions, name; 8
 * bytes each on a 64-bit kernel.
 *
 * @returns undefined when the numbers make no sense
 */
export function memblockArray(
  memblock: Uint8Array,
  type: 'memory' | 'reserved',
): { address: bigint; count: number } | undefined {
  const view = new DataView(memblock.buffer, memblock.byteOffset, memblock.byteLength);
  const at = type === 'memory' ? 16 : 56;
  const count = view.getBigUint64(at, true);
  const room = view.getBigUint64(at + 8, true);
  if (count > room || count > BigInt(maximumRegions)) {
    return undefined;
  }
  return { address: view.getBigUint64(at + 24, true), count: Number(count) };
}

/** Decodes an array of struct memblock_region. */
export function memblockRegions(bytes: Uint8Array): MemblockRegion[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const regions: MemblockRegion[] = [];
  for (let at = 0; at + memblockRegionBytes <= bytes.byteLength; at += memblockRegionBytes) {
    regions.push({
      ...sizedRange(Number(view.getBigUint64(at, true)), Number(view.getBigUint64(at + 8, true))),
      flags: view.getUint32(at + 16, true),
    });
  }
  return regions;
}
