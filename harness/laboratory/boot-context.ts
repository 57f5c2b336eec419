// SPDX-License-Identifier: GPL-2.0-only
import {
  type BootContext,
  imageSymbols,
  type LeafSplitting,
  type LinearLayout,
  type VirtualRange,
} from '../../src/diff/context.ts';
import { aliasBitOf, type BootFacts } from '../../src/evidence/boot-facts.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import type { Geometry } from '../../src/linux/geometry.ts';
import { kfencePoolSize, linearRange } from '../../src/linux/kernel-layout.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { MEMBLOCK_DRIVER_MANAGED, MEMBLOCK_NOMAP } from '../../src/linux/memblock.ts';
import { join, type PhysicalRange, sizedRange } from '../../src/linux/physical-range.ts';
import { memoryRanges } from '../../src/scenario/memory.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { linkAddress } from './question.ts';

/**
 * The memory according to memblock, at the first checkpoint that has it; otherwise the machine's
 * own layout.
 */
function memoryOf(
  evidence: Evidence,
  scenario: Scenario,
  geometry: Geometry,
): { ram: PhysicalRange[]; noMap: PhysicalRange[] } {
  const regions = evidence.captures.find(({ memblock }) => memblock)?.memblock;
  const holes = scenario.machine.holes.map(({ start, size }) => sizedRange(start, size));
  if (!regions) return { ram: memoryRanges(scenario.machine, geometry.granule), noMap: holes };
  const ranges = (nomap: boolean): PhysicalRange[] =>
    regions
      .filter(({ flags }) => (flags & MEMBLOCK_DRIVER_MANAGED) === 0)
      .filter(({ flags }) => ((flags & MEMBLOCK_NOMAP) !== 0) === nomap)
      .map(({ start, end }) => ({ start, end }));
  return { ram: ranges(false), noMap: ranges(true) };
}

/** From CONFIG_ARM64_VA_BITS and the page size, which the Image shows. */
function linearLayoutOf({ config, geometry }: KernelTraits): LinearLayout {
  const { start, end } = linearRange(config.vaBits, geometry);
  return { pageOffset: start, pageEnd: end };
}

function splittingOf({ cpuCapabilities, splitAsksRequires }: KernelTraits): LeafSplitting {
  const capability = cpuCapabilities?.find(({ match }) => 'bbml' in match)?.number;
  return { asksRequires: splitAsksRequires, ...(capability !== undefined && { capability }) };
}

/** The KFENCE pool, from the first checkpoint at which the kernel has its address. */
function kfencePoolOf({ captures }: Evidence, { config, geometry }: KernelTraits): VirtualRange[] {
  const start = captures[0]?.variables.__kfence_pool ?? 0n;
  const size = BigInt(kfencePoolSize(config.kfenceNumObjects, geometry));
  return start === 0n ? [] : [{ start, end: start + size }];
}

/** The facts of one boot in the form that the invariants need. */
export function bootContextOf(
  kernel: LoadedKernel,
  scenario: Scenario,
  observed: { evidence: Evidence; facts: BootFacts },
): BootContext {
  const { evidence, facts } = observed;
  const { symbols, traits } = kernel;
  const trampPgDir = symbols.address('tramp_pg_dir');
  return {
    evidence,
    granule: traits.geometry.granule,
    ...memoryOf(evidence, scenario, traits.geometry),
    ...(evidence.addedMemory && { added: join(evidence.addedMemory) }),
    layout: linearLayoutOf(traits),
    aliasBit: aliasBitOf(facts),
    image: {
      symbols: Object.fromEntries(
        imageSymbols.map((name) => [name, linkAddress(symbols, name)]),
      ) as BootContext['image']['symbols'],
      ...(trampPgDir === undefined ? {} : { trampPgDir }),
      ...evidence.image,
    },
    // The variable was added together with the function (a166563e7ec3); a compiler may have renamed
    // the function.
    ...((traits.requiresSymbol ?? symbols.codeName('split_kernel_leaf_mapping')) && {
      splitting: splittingOf(traits),
    }),
    unsteady: kfencePoolOf(evidence, traits),
  };
}
