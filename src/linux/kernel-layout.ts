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
 * VMEMMAP_START: address of the array of struct page, which starts with the page at memstart_addr
 * (arch/arm64/include/asm/memory.h).
 */
export function vmemmapStart(vaBits: number, geometry: Geometry): bigint {
  const linear = linearRange(vaBits, geometry);
  return 2n ** 64n - 2n ** 30n - structPages(linear.end - linear.start, geometry);
}

/** Bytes of the array of struct page for a stretch of linear map. */
function structPages(bytes: bigint, geometry: Geometry): bigint {
  return bytes >> (BigInt(geometry.pageShift) - STRUCT_PAGE_MAX_SHIFT);
}

/**
 * [MODULES_VADDR, VMALLOC_END): for modules, the kernel image and vmalloc memory,
 * arch/arm64/include/asm/memory.h and pgtable.h. It ends 8 MiB before the vmemmap, of which a CPU
 * without 52-bit addresses leaves the beginning unused (VMEMMAP_UNUSED_NPAGES): with KASLR, the
 * image and the modules may lie there.
 * @param vaBits that the kernel is built for
 * @param vaBitsActual vabits_actual, which T1SZ tells
 */
export function vmallocRange(
  vaBits: number,
  vaBitsActual: number,
  geometry: Geometry,
): { start: bigint; end: bigint } {
  const unused = structPages(_PAGE_OFFSET(vaBitsActual) - _PAGE_OFFSET(vaBits), geometry);
  return {
    start: linearRange(vaBits, geometry).end,
    end: vmemmapStart(vaBits, geometry) + unused - 2n ** 23n,
  };
}

/** KFENCE_POOL_SIZE in bytes, include/linux/kfence.h: two pages for each object, and two more. */
export function kfencePoolSize(objects: number, { granule }: Pick<Geometry, 'granule'>): number {
  return (objects + 1) * 2 * granule;
}
