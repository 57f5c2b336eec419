// SPDX-License-Identifier: GPL-2.0-only

import { get_option, valuesOf } from '../../../../linux/cmdline.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import type { PhysicalRange } from '../../../../linux/physical-range.ts';
import { subtract } from '../../../../linux/physical-range.ts';
import { first } from '../../../../present.ts';
import type { BootState, Kernel } from '../../../boot-state.ts';
import { kfencePoolOf } from '../../../kfence-pool.ts';
import { __kernel_map_pages } from '../../../mm/page_alloc.ts';
import { kernelProt, pgprot_tagged } from '../include/asm/pgtable-prot.ts';
import { cpuSupportsBbml } from '../kernel/cpufeature.ts';
import {
  __create_pgd_mapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
  NO_EXEC_MAPPINGS,
} from './mmu-create.ts';
import { force_pte_mapping, range_split_to_ptes } from './mmu-split.ts';
import { can_set_direct_map, makeInvalid, update_range_prot } from './pageattr.ts';
import { kpti_mk_tbl_ng } from './proc.ts';

/* arch/arm64/mm/mmu.c from update_mapping_prot() on: how the linear map is built and protected. */

const MMU = 'arch/arm64/mm/mmu.c';

/**
 * update_mapping_prot() on the linear alias of [start, end); since 7.2 it may change contiguous
 * mappings.
 */
function update_mapping_prot(state: BootState, start: number, end: number, prot: bigint): void {
  const { map, traits } = state;
  __create_pgd_mapping(
    map,
    traits,
    start,
    end,
    prot,
    traits.protectsContiguously ? 0 : NO_CONT_MAPPINGS,
    false,
  );
}

/** mark_linear_text_alias_ro(), called by smp_cpus_done() whatever the value of rodata=. */
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
 * parse_kfence_early_init(): whether the kfence.sample_interval= parameters make the kernel
 * allocate the KFENCE pool while it builds the linear map.
 */
export function parse_kfence_early_init({ traits, parameters, decisions, why }: Kernel): void {
  if (!traits.config.kfence) return;
  let early = traits.config.kfenceEarlyInit;
  why('kfence_early_init', MMU, `default, !!CONFIG_KFENCE_SAMPLE_INTERVAL: ${early}`);
  for (const value of valuesOf(parameters, 'kfence.sample_interval')) {
    const option = get_option(value, traits.release);
    if (option === undefined) continue;
    early = option !== 0;
    why('parse_kfence_early_init()', MMU, `kfence.sample_interval=${value}: ${early}`);
  }
  decisions.kfenceEarlyInit = early;
}

/**
 * arch_kfence_init_pool() of arch/arm64/mm/mmu.c: a pool that was not allocated early is split into
 * pages. Up to 6.17 there are no blocks in that case.
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

/** `ranges` without `hole`: what memblock_mark_nomap() leaves for for_each_mem_range(). */
function without(ranges: PhysicalRange[], hole: PhysicalRange): PhysicalRange[] {
  return ranges.flatMap((range) => subtract(range, [hole]));
}

/**
 * The ranges that map_mem() passes to __map_memblock(). If a range begins or ends inside a page,
 * the whole page is mapped, even if part of it is no-map memory; since 7.3, and in stable updates,
 * the page is left out.
 */
function mappable(
  memory: readonly PhysicalRange[],
  { mapsWholePagesOnly, geometry: { granule } }: KernelTraits,
): readonly PhysicalRange[] {
  if (!mapsWholePagesOnly) return memory;
  const inward = memory.map(({ start, end }) => ({
    start: Math.ceil(start / granule) * granule,
    end: Math.floor(end / granule) * granule,
  }));
  return inward.filter(({ start, end }) => start < end);
}

/**
 * map_mem() up to 7.1: memory without the kernel and the KFENCE pool, then the kernel's alias, then
 * the pool.
 */
function mapKernelLast(state: BootState, flags: number): void {
  const { map, traits, prot, sections, kfencePool } = state;
  let { memory } = state.memblock;
  if (kfencePool) memory = without(memory, kfencePool);
  memory = without(memory, { start: sections.aliasStart, end: sections.initBegin });
  for (const { start, end } of mappable(memory, traits)) {
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
function mapKernelFirst(state: BootState, flags: number): void {
  const { map, traits, sections, kfencePool } = state;
  const prot = pgprot_tagged(state.prot.PAGE_KERNEL);
  if (kfencePool) {
    const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS | NO_EXEC_MAPPINGS;
    __create_pgd_mapping(map, traits, kfencePool.start, kfencePool.end, prot, pages, true);
  }
  __create_pgd_mapping(map, traits, sections.aliasStart, sections.initBegin, prot, flags, true);
  __create_pgd_mapping(map, traits, sections.initEnd, sections.bssStop, prot, flags, true);
  for (const { start, end } of mappable(state.memblock.memory, traits))
    __create_pgd_mapping(map, traits, start, end, prot, flags, true);
}

/**
 * What map_mem() decides before it maps: whether the linear map is made of pages, and whether it
 * requires the capability. Both depend on what is known by then.
 */
export function map_mem_decisions(kernel: Kernel): void {
  const { traits, idRegisters, decisions, why } = kernel;
  if (traits.bbml !== 'none') {
    const boot = first(idRegisters);
    const capable = cpuSupportsBbml(traits, boot);
    decisions.bootCpuBbml = capable !== undefined;
    const midr = (boot.MIDR_EL1 ?? 0n).toString(16);
    why(
      traits.bbml === 'bbml3' ? 'cpu_supports_bbml3()' : 'cpu_supports_bbml2_noabort()',
      'arch/arm64/kernel/cpufeature.c',
      `boot CPU ${decisions.bootCpuBbml} (${capable ?? `MIDR_EL1 0x${midr} is not on the list`})`,
    );
  }
  decisions.forcePteMapping = force_pte_mapping(kernel);
  decisions.canSetDirectMapInMapMem = can_set_direct_map(kernel);
  const pte = traits.bbml === 'none' ? 'can_set_direct_map()' : 'force_pte_mapping()';
  why(pte, `${MMU}; a166563e7ec3 (6.18)`, `${decisions.forcePteMapping} in map_mem()`);
  why(
    'can_set_direct_map()',
    'arch/arm64/mm/pageattr.c',
    `${decisions.canSetDirectMapInMapMem} in map_mem()`,
  );
  if (traits.bbml === 'none') return;
  // The flag exists since the kernel checks the capability, whatever its name.
  decisions.linearMapRequiresBbml = !decisions.forcePteMapping && decisions.canSetDirectMapInMapMem;
  const flag = traits.requiresSymbol ?? 'the requires flag';
  why(flag, `map_mem(), ${MMU}`, `${decisions.linearMapRequiresBbml}`);
}

/** map_mem(): builds the linear map as it is when paging_init() returns. */
export function map_mem(state: BootState): void {
  const { traits, decisions, why } = state;
  if (decisions.kfenceEarlyInit) state.kfencePool = kfencePoolOf(state.question);
  let flags = NO_EXEC_MAPPINGS;
  if (decisions.forcePteMapping) flags |= NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
  const leaves = decisions.forcePteMapping ? 'pages only' : 'blocks and contiguous mappings';
  why('map_mem()', MMU, `maps memory with ${leaves}`);
  if (traits.mapsKernelFirst) {
    mapKernelFirst(state, flags);
    why(
      'map_mem()',
      `${MMU} (7.2)`,
      'maps the aliases of text and data first, with the same flags',
    );
  } else {
    mapKernelLast(state, flags);
    why(
      'map_mem()',
      `${MMU} (to 7.1)`,
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
    update_range_prot(state, start, end, makeInvalid(traits, prot));
    why(
      'mark_linear_data_alias_valid(false)',
      `${MMU} (7.3)`,
      'alias of [__init_end, __bss_stop) becomes invalid',
    );
  }
}

/**
 * kpti_install_ng_mappings(), called by setup_system_features(): where KPTI is on and the first
 * mappings were global, it rewrites all of swapper_pg_dir, and from then on PTE_MAYBE_NG is PTE_NG.
 * It has this form since 47546a1912fc (6.0); in arch/arm64/kernel/cpufeature.c, since 6.18 in
 * mm/mmu.c.
 */
export function kpti_install_ng_mappings(state: BootState): void {
  const { traits, decisions, why } = state;
  if (!decisions.kpti || decisions.useNgMappings) return;
  // They are invalid at that point, so the rewrite skips them.
  __kernel_map_pages(state, state.question.facts.freeAtKpti ?? []);
  kpti_mk_tbl_ng(state.map, state.map.root);
  state.prot = kernelProt(traits, { useNgMappings: true, lpa2: decisions.lpa2 });
  why(
    'kpti_install_ng_mappings()',
    'arch/arm64/mm/proc.S',
    'every valid entry, tables included, becomes non-global',
  );
}
