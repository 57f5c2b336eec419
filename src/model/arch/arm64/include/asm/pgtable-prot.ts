// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../../../../linux/kernel-traits.ts';
import {
  MT_NORMAL,
  MT_NORMAL_TAGGED,
  PTE_AF,
  PTE_ATTRINDX,
  PTE_ATTRINDX_MASK,
  PTE_DIRTY,
  PTE_NG,
  PTE_PXN,
  PTE_RDONLY,
  PTE_SHARED,
  PTE_TYPE_PAGE,
  PTE_UXN,
  PTE_WRITE,
} from '../../../../../linux/pgprot.ts';
import type { Decisions } from '../../../../types.ts';

/** Page protections of one kernel on one machine: attribute bits of a page descriptor. */
export interface KernelProt {
  PAGE_KERNEL: bigint;
  PAGE_KERNEL_RO: bigint;
  /** PTE_MAYBE_NG. */
  maybeNg: bigint;
}

/**
 * PAGE_KERNEL and PAGE_KERNEL_RO of arch/arm64/include/asm/pgtable-prot.h. PTE_MAYBE_SHARED is
 * empty with LPA2, where the bits belong to the output address; c25c4aa3f79a adds PTE_DIRTY.
 */
export function kernelProt(
  traits: KernelTraits,
  decisions: Pick<Decisions, 'useNgMappings' | 'lpa2'>,
): KernelProt {
  const maybeNg = decisions.useNgMappings ? PTE_NG : 0n;
  let normal =
    PTE_TYPE_PAGE | maybeNg | PTE_AF | PTE_PXN | PTE_UXN | PTE_WRITE | PTE_ATTRINDX(MT_NORMAL);
  if (!decisions.lpa2) normal |= PTE_SHARED;
  if (traits.kernelDirty) normal |= PTE_DIRTY;
  return {
    PAGE_KERNEL: normal,
    PAGE_KERNEL_RO: (normal & ~PTE_WRITE) | PTE_RDONLY,
    maybeNg,
  };
}

/** pgprot_tagged(): the linear map allows tags in every kernel, whether or not the CPU has MTE. */
export function pgprot_tagged(prot: bigint): bigint {
  return (prot & ~PTE_ATTRINDX_MASK) | PTE_ATTRINDX(MT_NORMAL_TAGGED);
}
