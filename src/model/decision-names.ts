// SPDX-License-Identifier: GPL-2.0-only
import type { Decisions, DerivationStep } from './types.ts';

/**
 * The kernel's names for its decisions. Those about BBM have different names in different releases,
 * after the level that the kernel requires.
 */
const names: Record<keyof Decisions, string> = {
  rodataEnabled: 'rodata_enabled',
  rodataFull: 'rodata_full',
  kfenceEarlyInit: 'kfence_early_init',
  debugPagealloc: 'debug_pagealloc_enabled()',
  bootCpuBbml: 'cpu_supports_bbml2_noabort(), boot CPU',
  systemBbml: 'system_supports_bbml2_noabort()',
  forcePteMapping: 'force_pte_mapping()',
  canSetDirectMapInMapMem: 'can_set_direct_map(), map_mem()',
  canSetDirectMap: 'can_set_direct_map()',
  realm: 'is_realm_world()',
  linearMapRequiresBbml: 'linear_map_requires_bbml2',
  useNgMappings: 'arm64_use_ng_mappings',
  kpti: 'arm64_kernel_unmapped_at_el0()',
  lpa2: 'lpa2_is_enabled()',
};

/**
 * The kernel's name of a decision, for a reader who greps for it.
 * @param steps the derivation of the decision: it shows whether the kernel requires BBML2 or BBML3
 */
export function decisionName(
  name: keyof Decisions,
  steps: readonly Pick<DerivationStep, 'where'>[],
): string {
  const bbml3 = steps.some(({ where }) =>
    /^(?:cpu_supports|linear_map_requires)_bbml3/.test(where),
  );
  return bbml3
    ? names[name].replace('bbml2_noabort', 'bbml3').replace('bbml2', 'bbml3')
    : names[name];
}
