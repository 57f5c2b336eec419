// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../linux/physical-range.ts';
import {
  type AttributeChange,
  changeAttributes,
  makeInvalid,
  makeValid,
} from '../arch/arm64/mm/pageattr.ts';
import type { BootState } from '../boot-state.ts';

/**
 * debug_pagealloc_map_pages() and debug_pagealloc_unmap_pages() of include/linux/mm.h up to a
 * checkpoint. From memblock_free_all() on, __free_pages_prepare() makes every page invalid that
 * returns to the page allocator, and post_alloc_hook() makes it valid again (mm/page_alloc.c;
 * __kernel_map_pages(), arch/arm64/mm/pageattr.c). So free memory is invalid, and all other memory
 * that was once free is valid.
 */
export function __kernel_map_pages(state: BootState, free: readonly PhysicalRange[]): void {
  const { map, traits, prot, why } = state;
  if (!state.decisions.debugPagealloc) return;
  const change = (ranges: readonly PhysicalRange[], attributes: AttributeChange): void => {
    for (const { start, end } of ranges) {
      changeAttributes(map, traits, map.offsetOfPa(start), map.offsetOfPa(end), attributes);
    }
  };
  change(state.freePages, makeValid(traits, prot));
  change(free, makeInvalid(traits, prot));
  state.freePages = free;
  const pages = free.reduce((sum, { start, end }) => sum + (end - start) / map.geometry.granule, 0);
  why(
    '__kernel_map_pages()',
    'arch/arm64/mm/pageattr.c, mm/page_alloc.c',
    `${pages} free pages are invalid`,
  );
}
