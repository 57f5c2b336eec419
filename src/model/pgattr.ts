// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import {
  MT_NORMAL,
  MT_NORMAL_TAGGED,
  PTE_ATTRINDX,
  PTE_ATTRINDX_MASK,
  PTE_CONT,
  PTE_NG,
  PTE_PXN,
  PTE_RDONLY,
  PTE_SWBITS_MASK,
  PTE_VALID,
  PTE_WRITE,
} from '../linux/pgprot.ts';

const isNormal = (attributes: bigint): boolean =>
  (attributes & PTE_ATTRINDX_MASK) === PTE_ATTRINDX(MT_NORMAL) ||
  (attributes & PTE_ATTRINDX_MASK) === PTE_ATTRINDX(MT_NORMAL_TAGGED);

/**
 * pgattr_change_is_safe() of arch/arm64/mm/mmu.c, without the test of the page frame: in the linear
 * map it never changes. Until 05c5c31e9d8d (7.2) contiguous mappings could not be changed at all.
 */
export function pgattr_change_is_safe(traits: KernelTraits, old: bigint, next: bigint): boolean {
  if (!(old & PTE_VALID) || !(next & PTE_VALID)) return true;
  if (!traits.contiguousMayChange && (old | next) & PTE_CONT) return false;
  if (old & ~next & PTE_NG) return false;
  let mask = PTE_PXN | PTE_RDONLY | PTE_WRITE | PTE_NG | PTE_SWBITS_MASK;
  if (isNormal(old) && isNormal(next)) mask |= PTE_ATTRINDX_MASK;
  return ((old ^ next) & ~mask) === 0n;
}
