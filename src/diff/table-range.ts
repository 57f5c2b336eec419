// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange } from '../linux/physical-range.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { TablePage } from '../vmsa/types.ts';

/**
 * Physical bytes of a table: a granule. A root table (no descriptor points to it) may be smaller,
 * and then shares its page with other data of the kernel (pgd_alloc() in arch/arm64/mm/pgd.c takes
 * it from a slab cache).
 */
export function tableRange({ pa, attributes }: TablePage, regime: Stage1Regime): PhysicalRange {
  const bytes =
    attributes === 0n ? Math.min(regime.rootEntries * 8, regime.granule) : regime.granule;
  return sizedRange(pa, bytes);
}
