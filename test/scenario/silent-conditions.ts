// SPDX-License-Identifier: GPL-2.0-only
/**
 * Why no boot of ours shows of a condition that it decides, with the names of the conditions
 * (nameOf()).
 */
const reasons: Record<string, readonly string[]> = {
  'no scenario spells out what rodata= is by default': [
    'arch_parse_debug_rodata(): value === traits.rodataFullSpelling as false',
    'arch_parse_debug_rodata(): true as false',
  ],
  'no scenario gives a value that the kernel refuses': [
    "arch_parse_debug_rodata(): value === 'off' as true",
    'parse_kfence_early_init(): option === undefined as false',
  ],
  'every kernel that was recorded is built with it': [
    'arm64_kfence_can_set_direct_map(): traits.config.kfence as true',
    'kaslr_enabled(): traits.config.randomizeBase as true',
    'kaslr_requires_kpti(): traits.config.e0pd as true',
    'unmap_kernel_at_el0(): !traits.config.unmapKernelAtEl0 as false',

    'parse_kfence_early_init(): !traits.config.kfence as false',
    'mark_rodata_ro(): !traits.config.strictKernelRwx as false',
  ],
  'a kernel without it is not asked, as the scenario would be unfit': [
    'arm64_rsi_init(): !traits.knowsRealms as false',

    'debug_pagealloc_enabled(): !config.debugPagealloc as false',
  ],
  'on a kernel without the capability the rules that follow say the same': [
    "map_mem_decisions(): traits.bbml !== 'none' as true",
  ],
  'it chooses the words of the derivation only': [
    'early_map_kernel(): kaslr_enabled(kernel) as true',
    'early_map_kernel(): kaslr_enabled(kernel) as false',
    "setup_system_capabilities(): traits.bbml !== 'none' as true",
    "setup_system_capabilities(): traits.bbml !== 'none' as false",
    "setup_system_capabilities(): traits.bbml !== 'none' as (traits.bbml) === ('none')",
    "setup_system_capabilities(): traits.bbml === 'bbml3' as true",
    "setup_system_capabilities(): traits.bbml === 'bbml3' as false",
    "setup_system_capabilities(): traits.bbml === 'bbml3' as (traits.bbml) !== ('bbml3')",
    "map_mem_decisions(): traits.bbml === 'none' as true",
    "map_mem_decisions(): traits.bbml === 'none' as false",
    "map_mem_decisions(): traits.bbml === 'none' as (traits.bbml) !== ('none')",
    'arm64_rsi_init(): traits.rsiBeforePagingInit as true',
    'arm64_rsi_init(): traits.rsiBeforePagingInit as false',
  ],
  'every CPU of ours tells its CSV3': ['isVulnerable(): told as true'],
  'no scenario says mitigations=off': [
    'unmap_kernel_at_el0(): cpu_mitigations_off(parameters, traits.release) as false',

    'unmap_kernel_at_el0(): false as true',
  ],
  'with KASLR the first mappings are non-global already, so that nothing shows whether KPTI would make them so':
    [
      'unmap_kernel_at_el0(): kaslr_requires_kpti(kernel) as false',
      'unmap_kernel_at_el0(): true as false',
    ],
  'no CPU of ours is a ThunderX': [
    'unmap_kernel_at_el0(): hasCavium27456(kernel) as false',
    'early_map_kernel(): allowed as true',
  ],
  'no CPU of ours is the newest revision of a range': [
    'isMidrInRange(): revision <= range.to as (revision) < (range.to)',
  ],
  'every kernel that was recorded probes RSI when the linear map is made': [
    'force_pte_mapping(): decisions.realm as false',
  ],
  'it is asked only where every CPU has the capability, so that the boot CPU answers the same': [
    'force_pte_mapping(): capabilitiesFinal as false',
    'split_leaf_mapping_possible(): true as false',
  ],
  'with debug_pagealloc there are pages only, which nothing can split': [
    'split_leaf_mapping_possible(): !force_pte_mapping(kernel, true) as true',
  ],
  'no realm that was recorded makes the request that it would decide': [
    'split_leaf_mapping_possible(): supported as true',
    'split_leaf_mapping_possible(): time.capabilitiesFinal as false',
    'split_leaf_mapping_possible(): time.pageAllocator === false || time.onlineCpus > 1 as false',
    'split_leaf_mapping_possible(): time.pageAllocator === false as false',
    'split_leaf_mapping_possible(): time.onlineCpus > 1 as false',
  ],
};

/** Conditions that no boot of ours shows to decide, by their names, each with the reason. */
export const silent: ReadonlyMap<string, string> = new Map(
  Object.entries(reasons).flatMap(([reason, names]) =>
    names.map((name) => [name, reason] as const),
  ),
);
