// SPDX-License-Identifier: GPL-2.0-only
import { parseIomem } from '../linux/iomem.ts';
import { MEMBLOCK_DRIVER_MANAGED, MEMBLOCK_HOTPLUG, MEMBLOCK_NOMAP } from '../linux/memblock.ts';
import { join, type PhysicalRange, sizeOf, subtract } from '../linux/physical-range.ts';
import type { Board, BoardRegion } from './board.ts';
import type { AddedMemory } from './capture.ts';

/** The memory of a board by what the boot of its kernel did with it; in bytes, ascending. */
export interface BoardMemory {
  /** What map_mem() saw, NOMAP memory included. */
  present: PhysicalRange[];
  noMap: PhysicalRange[];
  /** What came later. */
  added: AddedMemory[];
  /** Sentences for the report. */
  notes: string[];
}

/**
 * Resources of /proc/iomem whose memory the kernel maps in its linear region without telling
 * memblock: memremap_pages() of mm/memremap.c gives it to ZONE_DEVICE.
 */
const deviceMemory = /^(Persistent Memory|namespace\d|dax\d|pmem\d|CXL )/;

function mebibytes(ranges: readonly PhysicalRange[]): string {
  return `${Math.round(sizeOf(...ranges) / 2 ** 20)} MiB`;
}

/** Ranges of ZONE_DEVICE, as far as they are not memblock's. */
function deviceRanges({ files }: Board, known: readonly PhysicalRange[]): AddedMemory[] {
  const found: PhysicalRange[] = [];
  const visit = (entries: ReturnType<typeof parseIomem>): void => {
    for (const { name, start, end, children } of entries) {
      if (deviceMemory.test(name)) found.push({ start, end });
      else visit(children);
    }
  };
  visit(parseIomem(files['/proc/iomem'] ?? ''));
  return join(found)
    .flatMap((range) => subtract(range, known))
    .map((range) => ({ ...range, what: 'memory of a device (ZONE_DEVICE)' }));
}

/** Says what memblock and /proc/iomem tell of the memory of a board. */
export function memoryOf(board: Board): BoardMemory {
  const regions = board.memory ?? [];
  const flagged = (flag: number): BoardRegion[] =>
    regions.filter(({ flags }) => (flags & flag) !== 0);
  const driven = flagged(MEMBLOCK_DRIVER_MANAGED).map(({ start, end }) => ({
    ...{ start, end },
    what: 'memory that a driver has added (MEMBLOCK_DRIVER_MANAGED)',
  }));
  const known = join(regions);
  const device = deviceRanges(board, known);
  const added = [...driven, ...device].sort((a, b) => a.start - b.start);
  const pluggable = flagged(MEMBLOCK_HOTPLUG);
  return {
    present: join(regions.filter(({ flags }) => (flags & MEMBLOCK_DRIVER_MANAGED) === 0)),
    noMap: join(flagged(MEMBLOCK_NOMAP)),
    added,
    notes: [
      ...[...Map.groupBy(added, ({ what }) => what)].map(
        ([what, ranges]) =>
          `${mebibytes(ranges)} is ${what}: it came after the linear map was made, and its part of it is held to the invariants alone.`,
      ),
      ...(pluggable.length > 0
        ? [
            `${mebibytes(pluggable)} may be removed at run time (MEMBLOCK_HOTPLUG); it was there at boot, and is predicted like all other memory.`,
          ]
        : []),
    ],
  };
}
