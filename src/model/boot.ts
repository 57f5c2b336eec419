// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../evidence/boot-facts.ts';
import { type CheckpointName, checkpointNames, type SplitRequest } from '../evidence/capture.ts';
import type { BootState } from './boot-state.ts';
import { createPgdMapping, NO_CONT_MAPPINGS } from './create-mapping.ts';
import { kpti_install_ng_mappings } from './kpti.ts';
import { type Table, visitLeaves } from './linear-map.ts';
import { changeAttributes, makeInvalid, PartialLeaf, readOnlyAlias } from './pageattr.ts';
import { range_split_to_ptes, splitAtEnds } from './split.ts';
import type { Decisions } from './types.ts';

const PAGEATTR = 'arch/arm64/mm/pageattr.c';
const MMU = 'arch/arm64/mm/mmu.c';

/**
 * Whether split_kernel_leaf_mapping() splits at all once capabilities are final: the requires flag
 * and the system capability since f12b435de2f2, before that the capability and not
 * force_pte_mapping() (6.18, 6.19).
 */
export function splitsLeaves({ traits, decisions }: BootState): boolean {
  if (traits.bbml === 'none' || !decisions.systemBbml) return false;
  return traits.splitAsksRequires
    ? decisions.linearMapRequiresBbml === true
    : !decisions.debugPagealloc;
}

/**
 * Whether pages of memory cannot be changed one by one: they lie in blocks that cannot be split.
 * Contiguous pages are pages here, as they are to pageattr_pte_entry() (arch/arm64/mm/pageattr.c),
 * which does not look at PTE_CONT.
 * @param pages physical addresses; those of all memory when none is known
 */
export function refusesPages(state: BootState, pages: readonly number[] = []): boolean {
  const { map, decisions } = state;
  if (decisions.forcePteMapping || repaints(decisions) || splitsLeaves(state)) return false;
  const ranges =
    pages.length > 0
      ? pages.map((pa) => ({ start: pa, end: pa + map.geometry.granule }))
      : [{ start: map.physBase, end: Infinity }];
  return ranges.some(({ start, end }) => {
    let block = false;
    const visit = ({ level }: Table) => {
      block ||= level < 3;
    };
    visitLeaves(map, map.root, map.offsetOfPa(start), map.offsetOfPa(end), visit);
    return block;
  });
}

/**
 * split_kernel_leaf_mapping() for one request; addresses outside the linear region and in the
 * KFENCE pool change nothing here.
 */
export function applySplit(
  state: BootState,
  { start, end }: Pick<SplitRequest, 'start' | 'end'>,
): void {
  const { map, traits, kfencePool } = state;
  const first = map.offsetOfVa(start);
  const last = map.offsetOfVa(end);
  const inRegion =
    first >= 0 && last <= map.root.entries.length * map.entrySize(map.root) && first < last;
  if (!splitsLeaves(state) || !inRegion) return;
  const pa = map.physBase + first;
  if (kfencePool && pa >= kfencePool.start && pa < kfencePool.end) return;
  splitAtEnds(map, traits, first, last);
}

/**
 * arch_kfence_init_pool() of arch/arm64/mm/mmu.c: a pool that was not taken early becomes pages. Up
 * to 6.17 there are no blocks then.
 */
function arch_kfence_init_pool(state: BootState, pool: PhysicalRange): void {
  const { map, traits, decisions } = state;
  if (traits.bbml === 'none' || decisions.forcePteMapping || decisions.kfenceEarlyInit) return;
  range_split_to_ptes(map, traits, map.offsetOfPa(pool.start), map.offsetOfPa(pool.end));
  state.why(
    'arch_kfence_init_pool()',
    MMU,
    'the KFENCE pool, which was not taken early, becomes pages',
  );
}

/**
 * kfence_init_pool() of mm/kfence/core.c: the first two pages and the right neighbour of each
 * object page become invalid.
 */
export function kfence_init_pool(state: BootState): void {
  const { map, traits, prot, poolInUse, why } = state;
  if (!poolInUse) return;
  arch_kfence_init_pool(state, poolInUse);
  state.kfencePool = poolInUse;
  const { granule } = map.geometry;
  const invalid = makeInvalid(traits, prot);
  const first = map.offsetOfPa(poolInUse.start);
  const guards = [
    0,
    1,
    ...Array.from({ length: traits.config.kfenceNumObjects }, (_, i) => 2 * i + 3),
  ];
  for (const page of guards)
    changeAttributes(map, traits, first + page * granule, first + (page + 1) * granule, invalid);
  why(
    'kfence_init_pool()',
    'mm/kfence/core.c',
    `${guards.length} guard pages of the KFENCE pool become invalid`,
  );
}

/**
 * Whether linear_map_maybe_split_to_ptes() has something to do: the boot CPU made large leaves that
 * another CPU cannot split later.
 */
export function repaints({ linearMapRequiresBbml, systemBbml }: Decisions): boolean {
  return linearMapRequiresBbml === true && !systemBbml;
}

/**
 * linear_map_maybe_split_to_ptes(): CPUs differ, so the boot CPU repaints all but the alias of
 * [_stext, __init_begin).
 */
export function linear_map_maybe_split_to_ptes(state: BootState): void {
  const { map, traits, decisions, sections, why } = state;
  if (!repaints(decisions)) return;
  const end = map.root.entries.length * map.entrySize(map.root);
  range_split_to_ptes(map, traits, 0, map.offsetOfPa(sections.stext));
  range_split_to_ptes(map, traits, map.offsetOfPa(sections.initBegin), end);
  why(
    'linear_map_maybe_split_to_ptes()',
    MMU,
    'a secondary CPU lacks the capability: repainted to pages',
  );
}

/**
 * update_mapping_prot() on the linear alias of [start, end); contiguous mappings may change since
 * 7.2.
 */
function update_mapping_prot(state: BootState, start: number, end: number, prot: bigint): void {
  const { map, traits } = state;
  createPgdMapping(
    map,
    traits,
    start,
    end,
    prot,
    traits.protectsContiguously ? 0 : NO_CONT_MAPPINGS,
    false,
  );
}

/** mark_linear_text_alias_ro(), called by smp_cpus_done() whatever rodata= says. */
export function mark_linear_text_alias_ro(state: BootState): void {
  const { traits, prot, sections, why } = state;
  update_mapping_prot(state, sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL_RO);
  why(
    'mark_linear_text_alias_ro()',
    MMU,
    `alias of [${traits.aliasStart}, __init_begin) becomes read-only, Normal without tags`,
  );
}

/**
 * mark_rodata_ro() on the linear map: the alias of [__init_end, __bss_stop), read-only in 7.2,
 * invalid in 7.3.
 */
export function mark_rodata_ro(state: BootState): void {
  const { map, traits, decisions, prot, sections, why } = state;
  if (!decisions.rodataEnabled || !traits.config.strictKernelRwx) return;
  if (traits.dataAlias === 'readOnly') {
    update_mapping_prot(state, sections.initEnd, sections.bssStop, prot.PAGE_KERNEL_RO);
    why('mark_rodata_ro()', `${MMU} (7.2)`, 'alias of [__init_end, __bss_stop) becomes read-only');
  } else if (traits.dataAlias === 'invalid') {
    const { granule } = map.geometry;
    const start = map.offsetOfPa(sections.initEnd);
    const end = start + Math.floor((sections.bssStop - sections.initEnd) / granule) * granule;
    applySplit(state, { start: map.start + BigInt(start), end: map.start + BigInt(end) });
    changeAttributes(map, traits, start, end, makeInvalid(traits, prot));
    why(
      'mark_linear_data_alias_valid(false)',
      `${MMU} (7.3)`,
      'alias of [__init_end, __bss_stop) becomes invalid',
    );
  }
}

/**
 * set_memory_ro() under rodata_full asks for a split at every page of the alias
 * (change_memory_common()), kept or given back later.
 */
export function splitForProtection(state: BootState, frames: PhysicalRange[]): void {
  const { map, decisions } = state;
  if (!decisions.rodataFull) return;
  const { granule } = map.geometry;
  for (const { start, end } of frames) {
    for (let offset = map.offsetOfPa(start); offset < map.offsetOfPa(end); offset += granule) {
      const va = map.start + BigInt(offset);
      applySplit(state, { start: va, end: va + BigInt(granule) });
    }
  }
}

/** set_memory_ro() on vmalloc memory: with rodata_full its linear alias follows, page by page. */
export function protectVmallocAliases(state: BootState, frames: PhysicalRange[]): void {
  const { map, decisions, why } = state;
  if (!decisions.rodataFull || frames.length === 0) return;
  for (const { start, end } of frames) {
    for (let at = start; at < end; at += map.geometry.granule) {
      setPage(state, at, readOnlyAlias);
    }
  }
  const pages = frames.reduce(
    (sum, { start, end }) => sum + (end - start) / map.geometry.granule,
    0,
  );
  why(
    'change_memory_common()',
    PAGEATTR,
    `rodata_full: aliases of ${pages} read-only vmalloc pages follow`,
  );
}

/**
 * secretmem_fault(): each page of a memfd_secret file becomes invalid in the linear map at its
 * first touch.
 */
export function hideSecretPages(state: BootState, pages: number[]): void {
  for (const pa of pages) setPage(state, pa, makeInvalid(state.traits, state.prot));
  if (pages.length > 0) {
    state.why(
      'set_direct_map_invalid_noflush()',
      `${PAGEATTR}, mm/secretmem.c`,
      `${pages.length} secret pages become invalid`,
    );
  }
}

/**
 * One page of the linear map: split to it where the kernel may, then change it; a change of part of
 * a block is refused.
 */
function setPage(state: BootState, pa: number, change: { set: bigint; clear: bigint }): void {
  const { map, traits } = state;
  const offset = map.offsetOfPa(pa);
  const va = map.start + BigInt(offset);
  applySplit(state, { start: va, end: va + BigInt(map.geometry.granule) });
  try {
    changeAttributes(map, traits, offset, offset + map.geometry.granule, change);
  } catch (error) {
    if (!(error instanceof PartialLeaf)) throw error;
    state.why(
      'pageattr_pmd_entry()',
      PAGEATTR,
      `WARN and -EINVAL at 0x${pa.toString(16)}: ${error.message}`,
    );
  }
}

/** Steps of the boot that change the linear map before each instant, in order. */
const stepsUpTo: Record<CheckpointName, ((state: BootState) => void)[]> = {
  paging_init: [],
  before_split: [kfence_init_pool],
  after_split: [linear_map_maybe_split_to_ptes],
  free_initmem: [kpti_install_ng_mappings, mark_linear_text_alias_ro],
  init: [mark_rodata_ro],
};

/** The steps between two checkpoints of a boot that need not be neighbours. */
export function stepsBetween(
  last: CheckpointName | undefined,
  next: CheckpointName,
): ((state: BootState) => void)[] {
  const from = last === undefined ? 0 : checkpointNames.indexOf(last) + 1;
  return checkpointNames
    .slice(from, checkpointNames.indexOf(next) + 1)
    .flatMap((name) => stepsUpTo[name]);
}
