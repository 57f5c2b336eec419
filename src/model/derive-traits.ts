// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { Derivation } from './derivation.ts';

/**
 * Records what was read from the kernel itself and affects leaves wherever they are made or
 * changed.
 */
export function deriveTraits(traits: KernelTraits, why: Derivation): void {
  const dirty = traits.kernelDirty ? 'carries PTE_DIRTY' : 'does not carry PTE_DIRTY';
  why('PAGE_KERNEL', 'arch/arm64/include/asm/pgtable-prot.h; c25c4aa3f79a', dirty);
  const invalid = traits.presentInvalid
    ? 'what becomes invalid keeps PTE_PRESENT_INVALID'
    : 'what becomes invalid keeps no PTE_PRESENT_INVALID: a block is lost to later changes';
  why('set_memory_valid()', 'arch/arm64/mm/pageattr.c; 15bfba1ad77f', invalid);
  if (traits.bbml === 'none') return;
  const asks = traits.splitAsksRequires
    ? `asks ${traits.requiresSymbol ?? 'the requires flag'}, and splits before the capabilities are final while one CPU is online`
    : 'asks split_leaf_mapping_possible(): nothing before the capabilities are final';
  why('split_kernel_leaf_mapping()', 'arch/arm64/mm/mmu.c; f12b435de2f2 (7.1)', asks);
}
