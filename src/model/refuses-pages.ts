// SPDX-License-Identifier: GPL-2.0-only
import { repaints, split_leaf_mapping_possible, whenFinal } from './arch/arm64/mm/mmu-split.ts';
import type { BootState } from './boot-state.ts';
import { type Table, visitLeaves } from './linear-map.ts';

/**
 * Whether pages of memory cannot be changed individually because they are in blocks that cannot be
 * split. Contiguous pages count as pages, as in pageattr_pte_entry() (arch/arm64/mm/pageattr.c),
 * which ignores PTE_CONT.
 * @param pages physical addresses; all memory when none are known
 */
export function refusesPages(state: BootState, pages: readonly number[] = []): boolean {
  const { map, decisions } = state;
  const splits = split_leaf_mapping_possible(state, whenFinal) === 'split';
  if (decisions.forcePteMapping || repaints(decisions) || splits) return false;
  const ranges =
    pages.length > 0
      ? pages.map((pa) => ({ start: pa, end: pa + map.geometry.granule }))
      : [{ start: map.physBase, end: Infinity }];
  return ranges.some(({ start, end }) => {
    let block = false;
    const visit = ({ level }: Table) => {
      block ||= level < 3;
    };
    visitLeaves(map.root, map.offsetOfPa(start), map.offsetOfPa(end), visit);
    return block;
  });
}
