// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts } from '../../../../evidence/boot-facts.ts';
import { _PAGE_OFFSET, memstartAlign } from '../../../../linux/kernel-layout.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import type { PhysicalRange } from '../../../../linux/physical-range.ts';
import { sizeOf, subtract } from '../../../../linux/physical-range.ts';
import { first, last } from '../../../../present.ts';
import { memoryRanges, ramRanges } from '../../../../scenario/memory.ts';
import type { Machine } from '../../../../scenario/types.ts';
import type { Derivation } from '../../../derivation.ts';
import type { Prediction } from '../../../types.ts';

type LinearRegion = Prediction['linearRegion'];

const INIT = 'arch/arm64/mm/init.c';

/** Inputs of arm64_memblock_init(). */
interface MemblockInputs {
  traits: KernelTraits;
  machine: Machine;
  kaslr: boolean;
  facts: Pick<BootFacts, 'memstartAddr'>;
  /** Physical address of _end, which decides only where the linear region is too small. */
  imageEnd: () => number;
}

export interface MemblockOutcome {
  physBase: number;
  /** memblock.memory without NOMAP, as far as the linear region has room for it. */
  memory: PhysicalRange[];
  /**
   * memblock_phys_mem_size() in bytes, memblock_start_of_DRAM() and memblock_end_of_DRAM(): they
   * include NOMAP memory.
   */
  physMemSize: number;
  startOfDram: number;
  endOfDram: number;
}

/**
 * memstart_addr, and what memblock_remove() takes of memory that the linear region has no room for:
 * the upper end or, where the kernel lies there, the lower one.
 * @param size of the linear region in bytes
 */
function placeRegion(
  present: readonly PhysicalRange[],
  size: number,
  align: number,
  imageEnd: () => number,
  why: Derivation,
): { base: number; outside: PhysicalRange[] } {
  const base = Math.floor(first(present).start / align) * align;
  const { end } = last(present);
  if (end <= base + size) return { base, outside: [] };
  const beyond = { start: Math.max(base + size, imageEnd()), end: Infinity };
  const unfit = (where: string) =>
    why('arm64_memblock_init()', INIT, `memory ${where} does not fit the linear region`);
  if (beyond.start < end) unfit(`from 0x${beyond.start.toString(16)} on`);
  const top = Math.min(end, beyond.start);
  if (top <= base + size) return { base, outside: [beyond] };
  const higher = Math.ceil((top - size) / align) * align;
  unfit(`below 0x${higher.toString(16)}`);
  return { base: higher, outside: [{ start: 0, end: higher }, beyond] };
}

/**
 * arm64_memblock_init(): the physical address that the first byte of the linear region maps, and
 * the memory that the region has room for. Memory begins where memblock has the first of it, NOMAP
 * or not.
 * @param region virtual addresses of the linear region: _PAGE_OFFSET(vabits_actual) to PAGE_END
 */
export function arm64_memblock_init(
  { traits, machine, kaslr, facts, imageEnd }: MemblockInputs,
  region: LinearRegion,
  why: Derivation,
): MemblockOutcome {
  const { granule } = traits.geometry;
  const size = Number(region.end - region.start);
  const present = ramRanges(machine, granule);
  const align = memstartAlign(traits.geometry);
  const { base, outside } = placeRegion(present, size, align, imageEnd, why);
  const kept = (memory: readonly PhysicalRange[]): PhysicalRange[] =>
    memory.flatMap((range) => subtract(range, outside));
  const all = kept(present);
  return {
    physBase: physBaseOf({ traits, kaslr, facts, base }, region, why),
    memory: kept(memoryRanges(machine, granule)),
    physMemSize: sizeOf(...all),
    startOfDram: first(all).start,
    endOfDram: last(all).end,
  };
}

function physBaseOf(
  {
    traits,
    kaslr,
    facts,
    base,
  }: Pick<MemblockInputs, 'traits' | 'kaslr' | 'facts'> & { base: number },
  region: LinearRegion,
  why: Derivation,
): number {
  if (traits.randomLinearMap && kaslr && facts.memstartAddr !== undefined) {
    const fold = region.start - _PAGE_OFFSET(traits.config.vaBits);
    const random = Number(BigInt.asIntN(64, facts.memstartAddr) + fold);
    why(
      'arm64_memblock_init()',
      `${INIT} (to 6.15)`,
      `memstart_addr is random; boot fact: ${random}`,
    );
    return random;
  }
  why('arm64_memblock_init()', INIT, `memstart_addr rounds down to 0x${base.toString(16)}`);
  return base;
}
