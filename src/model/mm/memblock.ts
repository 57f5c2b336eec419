// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../linux/physical-range.ts';

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
