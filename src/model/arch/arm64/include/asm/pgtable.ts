// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../../../../linux/kernel-traits.ts';
import { PTE_PRESENT_INVALID, PTE_VALID } from '../../../../../linux/pgprot.ts';

/**
 * pte_present(): valid, or PTE_PRESENT_INVALID, which a non-global mapping that lost PTE_VALID also
 * looks like.
 */
export function pte_present(attributes: bigint): boolean {
  return (attributes & (PTE_VALID | PTE_PRESENT_INVALID)) !== 0n;
}

/**
 * pmd_leaf() and pud_leaf() as the change code asks them. Until 15bfba1ad77f it asked pmd_sect(),
 * which wants PTE_VALID: a block that was made invalid is then no leaf any more, and no later
 * change reaches it.
 */
export function pmd_leaf(traits: KernelTraits, attributes: bigint): boolean {
  return traits.presentInvalid ? pte_present(attributes) : (attributes & PTE_VALID) !== 0n;
}
