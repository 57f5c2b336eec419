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
    'parse_kfence_early_init(): !traits.config.kfence as false',
    'parse_kfence_early_init(): false as true',
    'kptiOf(): config.e0pd as true',
    'mappingRules(): traits.config.kfence as true',
    'unmap_kernel_at_el0(): !inputs.configured as false',
    'mark_rodata_ro(): !traits.config.strictKernelRwx as false',
  ],
  'a kernel without it is not asked, as the scenario would be unfit': [
    'debug_pagealloc_enabled(): !config.debugPagealloc as false',
    'decide(): traits.knowsRealms as true',
  ],
  'it chooses the words of the derivation; where it decides, every kernel that was recorded is built with it':
    [
      'kptiOf(): config.randomizeBase as true',
      'kptiOf(): config.unmapKernelAtEl0 as true',
      'kptiOf(): kaslr && config.randomizeBase && config.unmapKernelAtEl0 as true',
      'kptiOf(): kaslr && config.randomizeBase && config.unmapKernelAtEl0 as false',
      'kptiOf(): kaslr && config.randomizeBase as true',
      'kptiOf(): kaslr && config.randomizeBase as false',
      'kptiOf(): config.unmapKernelAtEl0 as false',
      'kptiOf(): kaslr as true',
      'kptiOf(): kaslr as false',
      'kptiOf(): config.randomizeBase as false',
    ],
  'on a kernel without the capability the rules that follow say the same': [
    "mappingRules(): traits.bbml === 'none' as false",
    "cpuSupportsBbml(): bbml === 'none' as false",
    "splitsLeaves(): traits.bbml === 'none' as false",
    "splitAnswer(): traits.bbml === 'none' as false",
  ],
  'it chooses the words of the derivation only': [
    'decide(): traits.config.debugPagealloc as true',
    'decide(): traits.config.debugPagealloc as false',
    "decide(): traits.bbml !== 'none' as true",
    "decide(): traits.bbml !== 'none' as false",
    "decide(): traits.bbml !== 'none' as (traits.bbml) === ('none')",
    "decide(): traits.bbml === 'bbml3' as true",
    "decide(): traits.bbml === 'bbml3' as false",
    "decide(): traits.bbml === 'bbml3' as (traits.bbml) !== ('bbml3')",
    "decide(): traits.bbml === 'none' as true",
    "decide(): traits.bbml === 'none' as false",
    "decide(): traits.bbml === 'none' as (traits.bbml) !== ('none')",
    'decide(): realm as true',
    'decide(): realm as false',
  ],
  'none of these kernels has 64K pages': ['decide(): traits.geometry.granule !== 65536 as true'],
  'every CPU of ours tells its CSV3': ['isVulnerable(): told as true'],
  'no scenario says mitigations=off': [
    'unmap_kernel_at_el0(): false as true',
    'unmap_kernel_at_el0(): cpu_mitigations_off(inputs.parameters, inputs.release) as false',
  ],
  'with KASLR the first mappings are non-global already, so that nothing shows whether KPTI would make them so':
    ['unmap_kernel_at_el0(): inputs.kaslrWantsIt as false', 'unmap_kernel_at_el0(): true as false'],
  'no CPU of ours is the newest revision of a range': [
    'isMidrInRange(): revision <= range.to as (revision) < (range.to)',
  ],
  'no realm that was recorded makes the request that it would decide': [
    'splitAnswer(): decisions.systemBbml as true',
    'splitAnswer(): supported && !decisions.debugPagealloc as false',
    'splitAnswer(): supported as false',
    'splitAnswer(): !decisions.debugPagealloc as true',
    'splitAnswer(): !decisions.debugPagealloc as false',
    'splitAnswer(): !decisions.debugPagealloc as !!(decisions.debugPagealloc)',
    'splitAnswer(): supported as true',
    'splitAnswer(): request.capabilitiesFinal as false',
    'splitAnswer(): request.pageAllocator === false || request.onlineCpus > 1 as false',
    'splitAnswer(): request.pageAllocator === false as false',
    'splitAnswer(): request.onlineCpus > 1 as false',
  ],
};

/** Conditions that no boot of ours shows to decide, by their names, each with the reason. */
export const silent: ReadonlyMap<string, string> = new Map(
  Object.entries(reasons).flatMap(([reason, names]) =>
    names.map((name) => [name, reason] as const),
  ),
);
