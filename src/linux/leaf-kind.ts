// SPDX-License-Identifier: GPL-2.0-only
import type { LeafRun } from '../vmsa/types.ts';

/**
 * Linux's names for what one leaf entry is: the level, and the contiguous bit at the levels where
 * the kernel uses it.
 */
export type LeafKind = 'page' | 'contPte' | 'pmd' | 'contPmd' | 'pud';

/**
 * Kind of the leaves of a run. Sizes depend on the granule, names do not: level 3 is PTE, 2 is PMD,
 * and everything above counts as PUD (arch/arm64/include/asm/pgtable-hwdef.h).
 */
export function leafKind(run: Pick<LeafRun, 'level' | 'contiguous'>): LeafKind {
  if (run.level === 3) return run.contiguous ? 'contPte' : 'page';
  if (run.level === 2) return run.contiguous ? 'contPmd' : 'pmd';
  return 'pud';
}

/** Bytes of a set of runs by kind; leaves that are not valid count as `invalid` only. */
export function linearMapSizes(runs: Iterable<LeafRun>): Record<LeafKind | 'invalid', number> {
  const sizes = { page: 0, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 };
  for (const run of runs) sizes[run.valid ? leafKind(run) : 'invalid'] += run.size;
  return sizes;
}
