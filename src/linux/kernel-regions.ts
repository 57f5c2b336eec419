// SPDX-License-Identifier: GPL-2.0-only
import type { Granule } from '../vmsa/types.ts';
import { geometryOf } from './geometry.ts';
import { _PAGE_END, _PAGE_OFFSET, vaBitsMin, vmemmapStart } from './kernel-layout.ts';

/** A named part of the kernel's address space and its first address. */
export interface KernelRegion {
  start: bigint;
  name: string;
}

const MODULES_VSIZE = 2n ** 31n;
const SZ_8M = 2n ** 23n;
const PCI_IO_SIZE = 2n ** 24n;
const VMEMMAP_END = 2n ** 64n - 2n ** 30n;

/**
 * Regions of the kernel half for the address size in force (arch/arm64/include/asm/memory.h, the
 * same from 6.12 to 7.3), of a kernel without KASAN and with a 64-byte struct page. A kernel built
 * for 52 bits that fell back to fewer has the same regions.
 */
export function kernelRegions(vaBits: number, granule: Granule): KernelRegion[] {
  const geometry = geometryOf(granule);
  const pageEnd = _PAGE_END(vaBitsMin(vaBits, geometry));
  return [
    { start: _PAGE_OFFSET(vaBits), name: 'Linear mapping' },
    { start: pageEnd, name: 'Modules' },
    { start: pageEnd + MODULES_VSIZE, name: 'Kernel image and vmalloc' },
    { start: vmemmapStart(vaBits, geometry), name: 'vmemmap' },
    { start: VMEMMAP_END, name: 'PCI I/O' },
    { start: VMEMMAP_END + SZ_8M + PCI_IO_SIZE, name: 'Fixmap' },
  ];
}
