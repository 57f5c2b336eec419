// SPDX-License-Identifier: GPL-2.0-only
/**
 * Bits of kernel page table entries as Linux names them, from
 * arch/arm64/include/asm/pgtable-hwdef.h and pgtable-prot.h. The names are the kernel's, so that a
 * maintainer can compare the model with the source.
 */

export const PTE_VALID = 1n << 0n;
export const PTE_TYPE_PAGE = 3n;
/** Bit 1 distinguishes a table or page from a block: PMD_TYPE_SECT is PTE_TYPE_PAGE without it. */
export const PMD_TABLE_BIT = 1n << 1n;
/** AP[1]: EL0 may access; bit 0 of the permission index under permission indirection. */
export const PTE_USER = 1n << 6n;
export const PTE_RDONLY = 1n << 7n;
export const PTE_SHARED = 3n << 8n;
export const PTE_AF = 1n << 10n;
export const PTE_NG = 1n << 11n;
/** The same bit as PTE_NG; it has this meaning only while PTE_VALID is clear. */
export const PTE_PRESENT_INVALID = PTE_NG;
export const PTE_GP = 1n << 50n;
const PTE_DBM = 1n << 51n;
/** Linux uses the hardware's dirty-bit modifier as its write permission. */
export const PTE_WRITE = PTE_DBM;
export const PTE_CONT = 1n << 52n;
export const PTE_PXN = 1n << 53n;
export const PTE_UXN = 1n << 54n;
export const PTE_DIRTY = 1n << 55n;
/** Software bits: 63 and 58:55. */
export const PTE_SWBITS_MASK = (1n << 63n) | (0xfn << 55n);

export const PTE_ATTRINDX_MASK = 7n << 2n;
/** AttrIndx field for a MT_* memory type. */
export const PTE_ATTRINDX = (type: number): bigint => BigInt(type) << 2n;

/** Indices into MAIR_EL1, arch/arm64/include/asm/memory.h. */
export const MT_NORMAL = 0;
export const MT_NORMAL_TAGGED = 1;
export const MT_NORMAL_NC = 2;
export const MT_DEVICE_nGnRnE = 3;
export const MT_DEVICE_nGnRE = 4;

/**
 * Table descriptors: the same bits at every level (PGD_TABLE_*, P4D_TABLE_*, PUD_TABLE_*,
 * PMD_TABLE_*).
 */
export const TABLE_TYPE = 3n;
export const TABLE_AF = 1n << 10n;
export const TABLE_PXN = 1n << 59n;
export const TABLE_UXN = 1n << 60n;
