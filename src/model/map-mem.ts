// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../evidence/boot-facts.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import {
  createPgdMapping,
  NO_BLOCK_MAPPINGS,
  NO_CONT_MAPPINGS,
  NO_EXEC_MAPPINGS,
} from './create-mapping.ts';
import type { Derivation } from './derivation.ts';
import { type KernelProt, pgprot_tagged } from './kernel-prot.ts';
import type { LinearMap } from './linear-map.ts';
import { subtract } from './ranges.ts';
import type { Decisions } from './types.ts';

/** Physical addresses of the linker symbols that map_mem() and mark_rodata_ro() use, in bytes. */
export interface ImageSections {
  /** _text, or _stext on older kernels. */
  aliasStart: number;
  initBegin: number;
  initEnd: number;
  bssStop: number;
}

/** Everything that map_mem() works on. */
export interface MapMemInputs {
  map: LinearMap;
  traits: KernelTraits;
  decisions: Decisions;
  prot: KernelProt;
  /** memblock.memory without NOMAP, ascending, disjoint. */
  memory: PhysicalRange[];
  sections: ImageSections;
  /** The early KFENCE pool, where there is one. */
  kfencePool?: PhysicalRange;
}

/** `ranges` without `hole`: what memblock_mark_nomap() leaves for for_each_mem_range(). */
function without(ranges: PhysicalRange[], hole: PhysicalRange): PhysicalRange[] {
  return ranges.flatMap((range) => subtract(range, [hole]));
}

/**
 * What map_mem() asks __map_memblock() to map of memory. A range that begins or ends inside a page
 * takes the whole page along, no-map memory or not; since 7.3, and in stable updates, it leaves the
 * page out.
 */
function mappable(
  memory: readonly PhysicalRange[],
  { mapsWholePagesOnly, geometry: { granule } }: KernelTraits,
): readonly PhysicalRange[] {
  if (!mapsWholePagesOnly) return memory;
  const inward = memory.map(({ start, end }) => ({
    start: Math.ceil(start / granule) * granule,
    end: Math.floor(end / granule) * granule,
  }));
  return inward.filter(({ start, end }) => start < end);
}

/**
 * map_mem() up to 7.1: memory without the kernel and the KFENCE pool, then the kernel's alias, then
 * the pool.
 */
function mapKernelLast(inputs: MapMemInputs, flags: number): void {
  const { map, traits, prot, sections, kfencePool } = inputs;
  let memory = kfencePool ? without(inputs.memory, kfencePool) : inputs.memory;
  memory = without(memory, { start: sections.aliasStart, end: sections.initBegin });
  for (const { start, end } of mappable(memory, traits)) {
    createPgdMapping(map, traits, start, end, pgprot_tagged(prot.PAGE_KERNEL), flags, true);
  }
  createPgdMapping(
    map,
    traits,
    sections.aliasStart,
    sections.initBegin,
    prot.PAGE_KERNEL,
    NO_CONT_MAPPINGS,
    true,
  );
  if (kfencePool) {
    const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
    createPgdMapping(
      map,
      traits,
      kfencePool.start,
      kfencePool.end,
      pgprot_tagged(prot.PAGE_KERNEL),
      pages,
      true,
    );
  }
}

/**
 * map_mem() since 7.2: the KFENCE pool, the kernel's two aliases, then all memory over them with
 * the same protection.
 */
function mapKernelFirst(inputs: MapMemInputs, flags: number): void {
  const { map, traits, sections, kfencePool, memory } = inputs;
  const prot = pgprot_tagged(inputs.prot.PAGE_KERNEL);
  if (kfencePool) {
    const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS | NO_EXEC_MAPPINGS;
    createPgdMapping(map, traits, kfencePool.start, kfencePool.end, prot, pages, true);
  }
  createPgdMapping(map, traits, sections.aliasStart, sections.initBegin, prot, flags, true);
  createPgdMapping(map, traits, sections.initEnd, sections.bssStop, prot, flags, true);
  for (const { start, end } of mappable(memory, traits))
    createPgdMapping(map, traits, start, end, prot, flags, true);
}

/** map_mem() of arch/arm64/mm/mmu.c: builds the linear map as it is when paging_init() returns. */
export function map_mem(inputs: MapMemInputs, why: Derivation): void {
  const { traits, decisions } = inputs;
  let flags = NO_EXEC_MAPPINGS;
  if (decisions.forcePteMapping) flags |= NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;
  const leaves = decisions.forcePteMapping ? 'pages only' : 'blocks and contiguous mappings';
  why('map_mem()', 'arch/arm64/mm/mmu.c', `maps memory with ${leaves}`);
  if (traits.mapsKernelFirst) {
    mapKernelFirst(inputs, flags);
    why(
      'map_mem()',
      'arch/arm64/mm/mmu.c (7.2)',
      'maps the aliases of text and data first, with the same flags',
    );
  } else {
    mapKernelLast(inputs, flags);
    why(
      'map_mem()',
      'arch/arm64/mm/mmu.c (to 7.1)',
      `maps the alias of [${traits.aliasStart}, __init_begin) in blocks, never contiguous`,
    );
  }
}
