// SPDX-License-Identifier: GPL-2.0-only
import type { Geometry } from './geometry.ts';

/**
 * _PAGE_OFFSET(va): first address of a kernel half of `vaBits` bits,
 * arch/arm64/include/asm/memory.h.
 */
export function _PAGE_OFFSET(vaBits: number): bigint {
  return 2n ** 64n - 2n ** BigInt(vaBits);
}

/** _PAGE_END(va): end of the linear region for the smallest supported VA size. */
export function _PAGE_END(vaBits: number): bigint {
  return 2n ** 64n - 2n ** BigInt(vaBits - 1);
}

/**
 * VA_BITS_MIN: the size that a kernel built for `vaBits` falls back to on a CPU without 52-bit
 * addresses, 47 with 16K pages, 48 otherwise (arch/arm64/include/asm/memory.h).
 */
export function vaBitsMin(vaBits: number, geometry: Geometry): number {
  if (vaBits <= 48) return vaBits;
  return geometry.granule === 16384 ? 47 : 48;
}

/**
 * [PAGE_OFFSET, PAGE_END): the linear region that a kernel is built with, however many bits the CPU
 * has (arch/arm64/include/asm/memory.h).
 */
export function linearRange(vaBits: number, geometry: Geometry): { start: bigint; end: bigint } {
  return { start: _PAGE_OFFSET(vaBits), end: _PAGE_END(vaBitsMin(vaBits, geometry)) };
}

/**
 * ARM64_MEMSTART_ALIGN in bytes, arch/arm64/mm/init.c; SECTION_SIZE_BITS is 27, or 29 with 64K
 * pages.
 */
export function memstartAlign(geometry: Geometry): number {
  const wanted = {
    4096: geometry.PUD_SIZE,
    16384: geometry.CONT_PMD_SIZE,
    65536: geometry.PMD_SIZE,
  }[geometry.granule];
  const section = geometry.granule === 65536 ? 2 ** 29 : 2 ** 27;
  return Math.max(wanted, section);
}

const STRUCT_PAGE_MAX_SHIFT = 6n;

/**
 * [MODULES_VADDR, VMALLOC_END): for modules, the kernel image and vmalloc memory,
 * arch/arm64/include/asm/memory.h and pgtable.h. The vmemmap starts 8 MiB after its end.
 */
export function vmallocRange(vaBits: number, geometry: Geometry): { start: bigint; end: bigint } {
  const linear = linearRange(vaBits, geometry);
  const vmemmapEnd = 2n ** 64n - 2n ** 30n;
  const vmemmapSize =
    (linear.end - linear.start) >> (BigInt(geometry.pageShift) - STRUCT_PAGE_MAX_SHIFT);
  return { start: linear.end, end: vmemmapEnd - vmemmapSize - 2n ** 23n };
}

/**
 * VMEMMAP_START: address of the array of struct page, which starts with the page at memstart_addr
 * (arch/arm64/include/asm/memory.h).
 */
export function vmemmapStart(vaBits: number, geometry: Geometry): bigint {
  return vmallocRange(vaBits, geometry).end + 2n ** 23n;
}

/** KFENCE_POOL_SIZE in bytes, include/linux/kfence.h: two pages for each object, and two more. */
export function kfencePoolSize(objects: number, { granule }: Pick<Geometry, 'granule'>): number {
  return (objects + 1) * 2 * granule;
}
