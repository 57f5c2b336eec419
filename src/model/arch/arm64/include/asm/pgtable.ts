// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../../../../linux/kernel-traits.ts';
import { PTE_PRESENT_INVALID, PTE_VALID } from '../../../../../linux/pgprot.ts';

/**
 * pte_present(): valid, or PTE_PRESENT_INVALID. A non-global mapping that lost PTE_VALID also looks
 * like the latter.
 */
export function pte_present(attributes: bigint): boolean {
  return (attributes & (PTE_VALID | PTE_PRESENT_INVALID)) !== 0n;
}

/**
 * pmd_leaf() and pud_leaf() as the code that changes attributes calls them. Until 15bfba1ad77f it
 * calls pmd_sect(), which requires PTE_VALID: a block that became invalid is then no longer a leaf,
 * and later changes skip it.
 */
export function pmd_leaf(traits: KernelTraits, attributes: bigint): boolean {
  return traits.presentInvalid ? pte_present(attributes) : (attributes & PTE_VALID) !== 0n;
}
