// SPDX-License-Identifier: GPL-2.0-only

import type { Geometry } from '../../linux/geometry.ts';
import type { PhysicalRange } from '../../linux/physical-range.ts';
import { join, sizedRange, subtract } from '../../linux/physical-range.ts';
import { ramRanges } from '../../scenario/memory.ts';
import type { Machine } from '../../scenario/types.ts';

/**
 * memblock.memory without NOMAP: the machine's RAM without the holes that its device tree reserves
 * with no-map.
 */
export function memoryRanges(machine: Machine, { granule }: Geometry): PhysicalRange[] {
  const holes = join(machine.holes.map(({ start, size }) => sizedRange(start, size)));
  return ramRanges(machine, granule).flatMap((ram) => subtract(ram, holes));
}

/**
 * memblock_find_in_range_node() from the top down (mm/memblock.c): the highest aligned address in
 * free memory at which the allocation fits into a window.
 * @param free memory that is neither reserved nor NOMAP, ascending
 * @param window addresses [start, end); the first page is never returned
 * @returns undefined where there is none
 */
export function memblock_find_in_range(
  free: readonly PhysicalRange[],
  size: number,
  align: number,
  window: PhysicalRange,
): number | undefined {
  const clamp = (value: number): number =>
    Math.min(Math.max(value, window.start), Math.max(window.start, window.end));
  for (const range of [...free].reverse()) {
    const candidate = Math.floor((clamp(range.end) - size) / align) * align;
    if (candidate >= Math.max(clamp(range.start), 1)) return candidate;
  }
  return undefined;
}
