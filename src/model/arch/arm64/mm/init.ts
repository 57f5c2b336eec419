// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts } from '../../../../evidence/boot-facts.ts';
import { _PAGE_OFFSET, memstartAlign } from '../../../../linux/kernel-layout.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import type { PhysicalRange } from '../../../../linux/physical-range.ts';
import { sizeOf, subtract } from '../../../../linux/physical-range.ts';
import { first, last } from '../../../../present.ts';
import { ramRanges } from '../../../../scenario/memory.ts';
import type { Machine } from '../../../../scenario/types.ts';
import type { Derivation } from '../../../derivation.ts';
import { memoryRanges } from '../../../mm/memblock.ts';
import type { Prediction } from '../../../types.ts';

type LinearRegion = Prediction['linearRegion'];

const INIT = 'arch/arm64/mm/init.c';

/** Inputs of arm64_memblock_init(). */
interface MemblockInputs {
  traits: KernelTraits;
  machine: Machine;
  kaslr: boolean;
  facts: Pick<BootFacts, 'memstartAddr'>;
}

export interface MemblockOutcome {
  physBase: number;
  /** memblock.memory without NOMAP, up to the end of the linear region. */
  memory: PhysicalRange[];
  /** memblock_phys_mem_size() in bytes, and memblock_end_of_DRAM(): both include NOMAP memory. */
  physMemSize: number;
  endOfDram: number;
}

/**
 * arm64_memblock_init(): the physical address that the first byte of the linear region maps, and
 * the memory that the region has room for. ptdiff always boots with the kernel in the first 256 MiB
 * of memory, so nothing is clipped at the lower end.
 * @param region virtual addresses of the linear region: _PAGE_OFFSET(vabits_actual) to PAGE_END
 */
export function arm64_memblock_init(
  { traits, machine, kaslr, facts }: MemblockInputs,
  region: LinearRegion,
  why: Derivation,
): MemblockOutcome {
  const memory = memoryRanges(machine, traits.geometry);
  const align = memstartAlign(traits.geometry);
  const base = Math.floor(first(memory).start / align) * align;
  const size = Number(region.end - region.start);
  const beyond = { start: base + size, end: Infinity };
  const clipped = memory.flatMap((range) => subtract(range, [beyond]));
  if (memory.some(({ end }) => end > beyond.start)) {
    why(
      'arm64_memblock_init()',
      INIT,
      `memory from 0x${beyond.start.toString(16)} on does not fit the linear region`,
    );
  }
  const all = ramRanges(machine, traits.geometry.granule).flatMap((range) =>
    subtract(range, [beyond]),
  );
  return {
    physBase: physBaseOf({ traits, kaslr, facts, base }, region, why),
    memory: clipped,
    physMemSize: sizeOf(...all),
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
