// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { can_set_direct_map } from './arch/arm64/mm/pageattr.ts';
import { bootOf } from './boot.ts';
import type { Kernel } from './boot-state.ts';
import type { Derivation } from './derivation.ts';
import type { Decisions } from './types.ts';

/** Inputs of the decision functions: the machine's CPUs and the kernel's parameters. */
export type DecisionInputs = Pick<Kernel, 'idRegisters' | 'parameters' | 'kaslr' | 'world'>;

/** A kernel before its first step: nothing is decided yet. */
export function kernelAtReset(
  traits: KernelTraits,
  { idRegisters, parameters, kaslr, world }: DecisionInputs,
  why: Derivation,
): Kernel {
  const decisions: Decisions = {
    rodataEnabled: false,
    rodataFull: false,
    kfenceEarlyInit: false,
    debugPagealloc: false,
    bootCpuBbml: false,
    systemBbml: false,
    forcePteMapping: false,
    canSetDirectMapInMapMem: false,
    canSetDirectMap: false,
    realm: false,
    ...(traits.bbml === 'none' ? {} : { linearMapRequiresBbml: false }),
    kpti: false,
    useNgMappings: false,
    lpa2: false,
  };
  return { traits, idRegisters, parameters, kaslr, world, decisions, why };
}

/** What a kernel has decided so far. */
export function decisionsOf(kernel: Kernel): Decisions {
  return { ...kernel.decisions, canSetDirectMap: can_set_direct_map(kernel) };
}

/** Runs the kernel's decision functions in the order of the boot. */
export function decide(traits: KernelTraits, inputs: DecisionInputs, why: Derivation): Decisions {
  const kernel = kernelAtReset(traits, inputs, why);
  for (const step of bootOf(traits)) if (typeof step !== 'string') step.decides?.(kernel);
  return decisionsOf(kernel);
}
