// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { first } from '../present.ts';
import { arch_parse_debug_rodata } from './arch/arm64/include/asm/setup.ts';
import {
  cpuHasLargeVa,
  cpuSupportsBbml,
  idField,
  unmap_kernel_at_el0,
} from './arch/arm64/kernel/cpufeature.ts';
import { parse_kfence_early_init } from './arch/arm64/mm/mmu.ts';
import type { Derivation } from './derivation.ts';
import { debug_pagealloc_enabled } from './mm/debug_page_alloc.ts';
import type { Decisions } from './types.ts';

/** Inputs of the decision functions: the machine's CPUs and the kernel's parameters. */
export interface DecisionInputs {
  /** ID registers of each CPU, boot CPU first. */
  idRegisters: Record<string, bigint>[];
  /** Kernel parameters in order, e.g. 'rodata=off'. */
  parameters: string[];
  kaslr: boolean;
  /** World of the machine. */
  world: 'normal' | 'realm';
}

/**
 * Whether the first mappings are non-global: early_map_kernel() sets arm64_use_ng_mappings when
 * KASLR needs KPTI, that is when the boot CPU has no FEAT_E0PD (kaslr_requires_kpti(),
 * arch/arm64/kernel/cpufeature.c and pi/map_kernel.c); and whether KPTI is on in the end.
 */
function kptiOf(
  traits: KernelTraits,
  { kaslr, idRegisters, parameters }: DecisionInputs,
  why: Derivation,
): Pick<Decisions, 'kpti' | 'useNgMappings'> {
  const { config } = traits;
  const e0pd = config.e0pd && idField(first(idRegisters), 'ID_AA64MMFR2_EL1', 60) !== 0;
  const kaslrWantsIt = kaslr && config.randomizeBase && !e0pd;
  const useNgMappings = kaslrWantsIt && config.unmapKernelAtEl0;
  if (kaslr && config.randomizeBase && config.unmapKernelAtEl0) {
    why(
      'kaslr_requires_kpti()',
      'arch/arm64/kernel/cpufeature.c',
      `FEAT_E0PD ${e0pd}: non-global mappings ${!e0pd}`,
    );
  }
  const { kpti, because } = unmap_kernel_at_el0({
    configured: config.unmapKernelAtEl0,
    idRegisters,
    parameters,
    release: traits.release,
    kaslrWantsIt,
  });
  why('unmap_kernel_at_el0()', 'arch/arm64/kernel/cpufeature.c', `${kpti}: ${because}`);
  return { kpti, useNgMappings };
}

/**
 * force_pte_mapping() and can_set_direct_map() in map_mem(), where is_realm_world() is false in any
 * world.
 */
function mappingRules(
  traits: KernelTraits,
  known: Pick<Decisions, 'rodataFull' | 'kfenceEarlyInit' | 'debugPagealloc'>,
  bbml: boolean,
): { forcePteMapping: boolean; canSetDirectMapInMapMem: boolean } {
  // arm64_kfence_can_set_direct_map() is !kfence_early_init, and false without CONFIG_KFENCE.
  const lateKfence = traits.config.kfence && !known.kfenceEarlyInit;
  const canSetDirectMapInMapMem = known.rodataFull || known.debugPagealloc || lateKfence;
  if (traits.bbml === 'none')
    return { forcePteMapping: canSetDirectMapInMapMem, canSetDirectMapInMapMem };
  if (known.debugPagealloc) return { forcePteMapping: true, canSetDirectMapInMapMem };
  return { forcePteMapping: !bbml && (known.rodataFull || lateKfence), canSetDirectMapInMapMem };
}

/** Runs the kernel's decision functions, in the order in which the boot asks them. */
export function decide(traits: KernelTraits, inputs: DecisionInputs, why: Derivation): Decisions {
  const rodata = arch_parse_debug_rodata(traits, inputs.parameters, why);
  const kfenceEarlyInit = parse_kfence_early_init(traits, inputs.parameters, why);
  const debugPagealloc = debug_pagealloc_enabled(traits, inputs.parameters);
  if (traits.config.debugPagealloc)
    why('debug_pagealloc_enabled()', 'mm/debug_page_alloc.c', `${debugPagealloc}`);
  const capable = inputs.idRegisters.map((registers) => cpuSupportsBbml(traits, registers));
  const bootCpuBbml = capable[0] !== undefined;
  const systemBbml = capable.every((reason) => reason !== undefined);
  if (traits.bbml !== 'none') {
    const detector =
      traits.bbml === 'bbml3' ? 'cpu_supports_bbml3()' : 'cpu_supports_bbml2_noabort()';
    const because =
      capable[0] ??
      `MIDR_EL1 0x${(first(inputs.idRegisters).MIDR_EL1 ?? 0n).toString(16)} is not on the list`;
    why(
      detector,
      'arch/arm64/kernel/cpufeature.c',
      `boot CPU ${bootCpuBbml} (${because}), system ${systemBbml}`,
    );
  }
  const rules = mappingRules(
    traits,
    { rodataFull: rodata.full, kfenceEarlyInit, debugPagealloc },
    bootCpuBbml,
  );
  const pte = traits.bbml === 'none' ? 'can_set_direct_map()' : 'force_pte_mapping()';
  why(pte, 'arch/arm64/mm/mmu.c; a166563e7ec3 (6.18)', `${rules.forcePteMapping} in map_mem()`);
  why(
    'can_set_direct_map()',
    'arch/arm64/mm/pageattr.c',
    `${rules.canSetDirectMapInMapMem} in map_mem()`,
  );
  const requires = !rules.forcePteMapping && rules.canSetDirectMapInMapMem;
  // The flag is there since the capability is asked, whatever its name.
  if (traits.bbml !== 'none')
    why(
      traits.requiresSymbol ?? 'the requires flag',
      'map_mem(), arch/arm64/mm/mmu.c',
      `${requires}`,
    );
  const realm = inputs.world === 'realm' && traits.knowsRealms;
  if (realm) {
    const source = 'arch/arm64/kernel/rsi.c, setup.c';
    why(
      'arm64_rsi_init()',
      source,
      'is_realm_world() turns true after paging_init(), and can_set_direct_map() with it',
    );
  }
  return {
    rodataEnabled: rodata.enabled,
    rodataFull: rodata.full,
    kfenceEarlyInit,
    debugPagealloc,
    bootCpuBbml,
    systemBbml,
    ...rules,
    canSetDirectMap: rules.canSetDirectMapInMapMem || realm,
    realm,
    ...(traits.bbml === 'none' ? {} : { linearMapRequiresBbml: requires }),
    ...kptiOf(traits, inputs, why),
    lpa2:
      traits.config.lpa2 &&
      traits.geometry.granule !== 65536 &&
      cpuHasLargeVa(traits, first(inputs.idRegisters)),
  };
}
