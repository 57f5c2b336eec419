// SPDX-License-Identifier: GPL-2.0-only
import { linearRange } from '../linux/kernel-layout.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { join, type PhysicalRange, sizedRange, subtract } from '../linux/physical-range.ts';
import type { Capture } from './capture.ts';

/** debug_pagealloc_enabled(), as the running kernel has it. */
export function debugsPageallocOf({ variables }: Pick<Capture, 'variables'>): boolean {
  return (variables._debug_pagealloc_enabled_early ?? 0n) !== 0n;
}

/**
 * With debug_pagealloc, the pages that may be free, where nobody can read the page allocator's
 * lists: each page of memory that is in the linear map and not valid. __kernel_map_pages() makes
 * pages so with set_memory_valid() in all releases (arch/arm64/mm/pageattr.c): an entry without
 * PTE_VALID, never an empty one. How the kernel leaves such an entry is compared.
 * @param memory that the kernel mapped when it booted; in bytes, ascending
 * @param never what is never free: ascending, in bytes
 */
export function inferredFreePages(
  { ttbr1 }: Pick<Capture, 'ttbr1'>,
  { config, geometry }: Pick<KernelTraits, 'config' | 'geometry'>,
  memory: readonly PhysicalRange[],
  never: readonly PhysicalRange[],
): PhysicalRange[] {
  const { start, end } = linearRange(config.vaBits, geometry);
  const invalid = ttbr1.leaves
    .filter(({ va, valid, level }) => !valid && level === 3 && va >= start && va < end)
    .map(({ pa, size }) => sizedRange(pa, size));
  const whole = { start: 0, end: Number.MAX_SAFE_INTEGER };
  const excluded = join([...subtract(whole, join(memory)), ...never]);
  return join(invalid).flatMap((range) => subtract(range, excluded));
}
