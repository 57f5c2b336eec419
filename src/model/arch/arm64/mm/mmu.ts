// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../../../evidence/boot-facts.ts';
import { get_option, valuesOf } from '../../../../linux/cmdline.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import type { BootState, ImageSections } from '../../../boot-state.ts';
import type { Derivation } from '../../../derivation.ts';
import type { LinearMap } from '../../../linear-map.ts';
import { __kernel_map_pages } from '../../../mm/page_alloc.ts';
import { subtract } from '../../../ranges.ts';
import type { Decisions } from '../../../types.ts';
import { type KernelProt, kernelProt, pgprot_tagged } from '../include/asm/pgtable-prot.ts';
import {
  __create_pgd_mapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
  NO_EXEC_MAPPINGS,
} from './mmu-create.ts';
import { applySplit, range_split_to_ptes } from './mmu-split.ts';
import { changeAttributes, makeInvalid } from './pageattr.ts';
import { kpti_mk_tbl_ng } from './proc.ts';

/*
 * arch/arm64/mm/mmu.c from update_mapping_prot() on: the linear map is made, and protected.
 */

const MMU = 'arch/arm64/mm/mmu.c';

/**
 * update_mapping_prot() on the linear alias of [start, end); contiguous mappings may change since
 * 7.2.
 */
function update_mapping_prot(state: BootState, start: number, end: number, prot: bigint): void {
  const { map, traits } = state;
  __create_pgd_mapping(
    map,
    traits,
    start,
    end,
    prot,
    traits.contiguousMayChange ? 0 : NO_CONT_MAPPINGS,
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
 * parse_kfence_early_init(): whether the KFENCE pool is taken while the linear map is made, by the
 * parameters kfence.sample_interval=.
 */
export function parse_kfence_early_init(
  traits: KernelTraits,
  parameters: string[],
  why: Derivation,
): boolean {
  if (!traits.config.kfence) return false;
  let early = traits.config.kfenceEarlyInit;
  why('kfence_early_init', MMU, `default, !!CONFIG_KFENCE_SAMPLE_INTERVAL: ${early}`);
  for (const value of valuesOf(parameters, 'kfence.sample_interval')) {
    const option = get_option(value, traits.release);
    if (option === undefined) continue;
    early = option !== 0;
    why('parse_kfence_early_init()', MMU, `kfence.sample_interval=${value}: ${early}`);
  }
  return early;
}

/**
 * arch_kfence_init_pool() of arch/arm64/mm/mmu.c: a pool that was not taken early becomes pages. Up
 * to 6.17 there are no blocks then.
 */
export function arch_kfence_init_pool(state: BootState, pool: PhysicalRange): void {
  const { map, traits, decisions } = state;
  if (traits.bbml === 'none' || decisions.forcePteMapping || decisions.kfenceEarlyInit) return;
  range_split_to_ptes(map, traits, map.offsetOfPa(pool.start), map.offsetOfPa(pool.end));
  state.why(
    'arch_kfence_init_pool()',
    MMU,
    'the KFENCE pool, which was not taken early, becomes pages',
  );
}

/** Everything that map_mem() works on. */
export interface MapMemInputs {
  map: LinearMap;
  traits: KernelTraits;
  decisions: Decisions;
  prot: KernelProt;
  /** memblock.memory without NOMAP, ascending, disjoint. */
  memory: PhysicalRange[];
  sections: ImageSections;
  /** The early KFENCE pool, where there is one. */
  kfencePool?: PhysicalRange;
}

/** `ranges` without `hole`: what memblock_mark_nomap() leaves for for_each_mem_range(). */
function without(ranges: PhysicalRange[], hole: PhysicalRange): PhysicalRange[] {
  return ranges.flatMap((range) => subtract(range, [hole]));
}

/**
 * map_mem() up to 7.1: memory without the kernel and the KFENCE pool, then the kernel's alias, then
 * the pool.
 */
function mapKernelLast(inputs: MapMemInputs, flags: number): void {
  const { map, traits, prot, sections, kfencePool } = inputs;
  let memory = kfencePool ? without(inputs.memory, kfencePool) : inputs.memory;
  memory = without(memory, { start: sections.aliasStart, end: sections.initBegin });
  for (const { start, end } of memory) {
    __create_pgd_mapping(map, traits, start, end, pgprot_tagged(prot.PAGE_KERNEL), flags, true);
  }
  __create_pgd_mapping(
    map,
    traits,
    sections.aliasStart,
    sections.initBegin,
    prot.PAGE_KERNEL,
    NO_CONT_MAPPINGS,
    true,
  );
  if (kfencePool) {
    const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
    __create_pgd_mapping(
      map,
      traits,
      kfencePool.start,
      kfencePool.end,
      pgprot_tagged(prot.PAGE_KERNEL),
      pages,
      true,
    );
  }
}

/**
 * map_mem() since 7.2: the KFENCE pool, the kernel's two aliases, then all memory over them with
 * the same protection.
 */
function mapKernelFirst(inputs: MapMemInputs, flags: number): void {
  const { map, traits, sections, kfencePool, memory } = inputs;
  const { granule } = map.geometry;
  const prot = pgprot_tagged(inputs.prot.PAGE_KERNEL);
  if (kfencePool) {
    const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS | NO_EXEC_MAPPINGS;
    __create_pgd_mapping(map, traits, kfencePool.start, kfencePool.end, prot, pages, true);
  }
  __create_pgd_mapping(map, traits, sections.aliasStart, sections.initBegin, prot, flags, true);
  __create_pgd_mapping(map, traits, sections.initEnd, sections.bssStop, prot, flags, true);
  for (const { start, end } of memory) {
    // Up to 7.2 a range that begins or ends inside a page takes the whole page along, no-map memory
    // or not; 7.3 leaves the page out.
    const from = traits.mapsWholePagesOnly ? Math.ceil(start / granule) * granule : start;
    const to = traits.mapsWholePagesOnly ? Math.floor(end / granule) * granule : end;
    __create_pgd_mapping(map, traits, from, to, prot, flags, true);
  }
}

/** map_mem() of arch/arm64/mm/mmu.c: builds the linear map as it is when paging_init() returns. */
export function map_mem(inputs: MapMemInputs, why: Derivation): void {
  const { traits, decisions } = inputs;
  let flags = NO_EXEC_MAPPINGS;
  if (decisions.forcePteMapping) flags |= NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
  const leaves = decisions.forcePteMapping ? 'pages only' : 'blocks and contiguous mappings';
  why('map_mem()', 'arch/arm64/mm/mmu.c', `maps memory with ${leaves}`);
  if (traits.contiguousMayChange) {
    mapKernelFirst(inputs, flags);
    why(
      'map_mem()',
      'arch/arm64/mm/mmu.c (7.2)',
      'maps the aliases of text and data first, with the same flags',
    );
  } else {
    mapKernelLast(inputs, flags);
    why(
      'map_mem()',
      'arch/arm64/mm/mmu.c (to 7.1)',
      `maps the alias of [${traits.aliasStart}, __init_begin) in blocks, never contiguous`,
    );
  }
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
 * kpti_install_ng_mappings(), called by setup_system_features(): where KPTI is on and the first
 * mappings were global, all of swapper_pg_dir is rewritten, and from then on PTE_MAYBE_NG is
 * PTE_NG. 47546a1912fc (6.0) gave it its form; arch/arm64/kernel/cpufeature.c, since 6.18 mm/mmu.c.
 */
export function kpti_install_ng_mappings(state: BootState): void {
  const { traits, decisions, why } = state;
  if (!decisions.kpti || decisions.useNgMappings) return;
  // They are invalid then, so the rewriting skips them.
  __kernel_map_pages(state, state.freeAtKpti);
  kpti_mk_tbl_ng(state.map, state.map.root);
  state.prot = kernelProt(traits, { useNgMappings: true, lpa2: decisions.lpa2 });
  why(
    'kpti_install_ng_mappings()',
    'arch/arm64/mm/proc.S',
    'every valid entry, tables included, becomes non-global',
  );
}
