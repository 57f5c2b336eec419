// SPDX-License-Identifier: GPL-2.0-only
import type { Granule, Level } from '../vmsa/types.ts';

/**
 * Sizes in bytes, and shifts, of everything Linux can map with one granule
 * (arch/arm64/include/asm/pgtable-hwdef.h).
 */
export interface Geometry {
  granule: Granule;
  pageShift: number;
  /** Bits of input address resolved by one full table. */
  tableBits: number;
  CONT_PTE_SIZE: number;
  PMD_SIZE: number;
  CONT_PMD_SIZE: number;
  PUD_SIZE: number;
  /** pud_sect_supported(): 1 GiB blocks exist for the 4K granule only. */
  pudSectSupported: boolean;
}

const contiguous: Record<Granule, { ptes: number; pmds: number }> = {
  4096: { ptes: 16, pmds: 16 },
  16384: { ptes: 128, pmds: 32 },
  65536: { ptes: 32, pmds: 32 },
};

/**
 * Geometry of a granule, which determines CONFIG_ARM64_CONT_PTE_SHIFT and _CONT_PMD_SHIFT
 * (arch/arm64/Kconfig).
 */
export function geometryOf(granule: Granule): Geometry {
  const pageShift = Math.log2(granule);
  const tableBits = pageShift - 3;
  const PMD_SIZE = 2 ** (pageShift + tableBits);
  return {
    granule,
    pageShift,
    tableBits,
    CONT_PTE_SIZE: granule * contiguous[granule].ptes,
    PMD_SIZE,
    CONT_PMD_SIZE: PMD_SIZE * contiguous[granule].pmds,
    PUD_SIZE: PMD_SIZE * 2 ** tableBits,
    pudSectSupported: granule === 4096,
  };
}

/** log2 of the bytes that one entry of a table at `level` covers. */
export function levelShift(geometry: Geometry, level: Level): number {
  return geometry.pageShift + geometry.tableBits * (3 - level);
}

/** Level of the root table for a virtual address size in bits (DDI 0487 D8.2.8). */
export function rootLevel(geometry: Geometry, vaBits: number): Level {
  const levels = Math.ceil((vaBits - geometry.pageShift) / geometry.tableBits);
  return (4 - levels) as Level;
}
