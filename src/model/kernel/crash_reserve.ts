// SPDX-License-Identifier: GPL-2.0-only
import type { BootFacts } from '../../evidence/boot-facts.ts';
import {
  type CrashkernelRequest,
  DEFAULT_CRASH_KERNEL_LOW_SIZE,
  parse_crashkernel,
} from '../../linux/crashkernel.ts';
import type { KernelTraits } from '../../linux/kernel-traits.ts';
import type { PhysicalRange } from '../../linux/physical-range.ts';
import { subtract } from '../../linux/physical-range.ts';
import type { BootState } from '../boot-state.ts';
import type { Derivation } from '../derivation.ts';
import { memblock_find_in_range } from '../mm/memblock.ts';

/** Inputs of arch_reserve_crashkernel(). */
export interface CrashReserveInputs {
  traits: KernelTraits;
  parameters: readonly string[];
  /**
   * memblock.memory without NOMAP, ascending; memblock_phys_mem_size(), memblock_start_of_DRAM()
   * and memblock_end_of_DRAM() include NOMAP memory.
   */
  memory: readonly PhysicalRange[];
  physMemSize: number;
  startOfDram: number;
  endOfDram: number;
  /** Memory that is known to be in use: the kernel's image and the early KFENCE pool. */
  taken: readonly PhysicalRange[];
  facts: Pick<BootFacts, 'crashKernel' | 'memblockReserved'>;
}

const CRASH_ALIGN = 2 * 2 ** 20;
const SOURCE = 'kernel/crash_reserve.c, arch/arm64/mm/init.c';

/** Where one attempt may place the memory, as addresses [start, end). */
type Window = PhysicalRange;

/** Below CRASH_ADDR_LOW_MAX. memblock never gives the first page: 0 stands for none. */
const lowWindow = (lowMax: number): Window => ({ start: CRASH_ALIGN, end: lowMax });

/** SIZE@OFFSET, but for an offset of 0: fixed_base of reserve_crashkernel_generic(). */
const isFixed = ({ base }: CrashkernelRequest): boolean => base > 0n;

/**
 * Where reserve_crashkernel_generic() searches, in order; after the first attempt it also needs low
 * memory of the default size.
 */
function windowsOf(request: CrashkernelRequest, lowMax: number): Window[] {
  const { size, base, high } = request;
  const [low, above] = [lowWindow(lowMax), { start: lowMax, end: Infinity }];
  // An address beyond 2^53 is not exact here, and it is beyond all memory.
  if (isFixed(request)) return [{ start: Number(base), end: Number(base + size) }];
  return high ? [above, low] : [low, above];
}

/**
 * arm64_dma_phys_limit, which is CRASH_ADDR_LOW_MAX: the end of ZONE_DMA, which takes all memory
 * where none is below 4 GiB (dma_limits_init() and max_zone_phys(), arch/arm64/mm/init.c).
 */
function arm64_dma_phys_limit({
  startOfDram,
  endOfDram,
}: Pick<CrashReserveInputs, 'startOfDram' | 'endOfDram'>): number {
  const U32_MAX = 2 ** 32 - 1;
  return startOfDram < U32_MAX ? Math.min(U32_MAX + 1, endOfDram) : endOfDram;
}

/**
 * Whether the address that the kernel chose obeys the rule: aligned, in a window, and not in use.
 */
function mayLieThere(
  range: PhysicalRange,
  free: readonly PhysicalRange[],
  windows: readonly Window[],
): boolean {
  const inside = ({ start, end }: PhysicalRange): boolean =>
    range.start >= start && range.end <= end;
  return range.start % CRASH_ALIGN === 0 && free.some(inside) && windows.some(inside);
}

/**
 * arch_reserve_crashkernel(), called by bootmem_init() after paging_init(), reserves memory for the
 * crash kernel in memblock, and does nothing else. No map_mem() since 6.12 treats this memory
 * specially, and nothing protects it later, so it is mapped like any other memory, in blocks where
 * blocks are used. A fixed address is refused if any part of it is in use or not memory, or if it
 * is not aligned to CRASH_ALIGN. Where memblock may choose the address, the address is a boot fact.
 * Whether there is a suitable address is not: once the other reservations are known, the model
 * predicts it.
 * @returns the reserved range, or undefined where the kernel reserves nothing
 */
export function reserve_crashkernel_generic(
  inputs: CrashReserveInputs,
  why: Derivation,
): PhysicalRange | undefined {
  const { traits, parameters, facts } = inputs;
  const line = parameters.join(' ');
  if (!traits.config.crashReserve || !line.includes('crashkernel=')) return undefined;
  const request = parse_crashkernel(line, BigInt(inputs.physMemSize), traits.release);
  if (!request) {
    why('parse_crashkernel()', SOURCE, 'refuses crashkernel=: nothing is reserved');
    return undefined;
  }
  const size = Number(request.size);
  const inUse = [...inputs.taken, ...(facts.memblockReserved ?? [])].sort(
    (a, b) => a.start - b.start,
  );
  const free = inputs.memory.flatMap((range) => subtract(range, inUse));
  const lowMax = arm64_dma_phys_limit(inputs);
  const windows = windowsOf(request, lowMax);
  const unknown = facts.crashKernel === undefined && facts.memblockReserved === undefined;
  const start = unknown ? undefined : placeOf(size, free, windows, facts.crashKernel);
  if (start === undefined || !lowMemoryFits(request, { start, end: start + size }, free, lowMax)) {
    const where = isFixed(request) ? ` at 0x${request.base.toString(16)}` : '';
    why(
      'reserve_crashkernel_generic()',
      SOURCE,
      `finds no ${mib(size)}${where} that are free: nothing is reserved`,
    );
    return undefined;
  }
  why(
    'reserve_crashkernel_generic()',
    SOURCE,
    `${mib(size)} are reserved behind paging_init(), and stay mapped`,
  );
  return { start, end: start + size };
}

const mib = (bytes: number): string => `${bytes / 2 ** 20} MiB`;

/**
 * The address that the kernel chose if the rule allows it, otherwise the one that follows from the
 * rule.
 */
function placeOf(
  size: number,
  free: readonly PhysicalRange[],
  windows: readonly Window[],
  observed: number | undefined,
): number | undefined {
  if (
    observed !== undefined &&
    mayLieThere({ start: observed, end: observed + size }, free, windows)
  )
    return observed;
  for (const window of windows) {
    const found = memblock_find_in_range(free, size, CRASH_ALIGN, window);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * reserve_crashkernel_low(): memory above CRASH_ADDR_LOW_MAX is freed again if there is no low
 * memory to go with it.
 */
function lowMemoryFits(
  request: CrashkernelRequest,
  range: PhysicalRange,
  free: readonly PhysicalRange[],
  lowMax: number,
): boolean {
  const size = Number(request.high ? request.lowSize : DEFAULT_CRASH_KERNEL_LOW_SIZE);
  if (range.start < lowMax || isFixed(request) || size === 0) return true;
  const left = free.flatMap((part) => subtract(part, [range]));
  return memblock_find_in_range(left, size, CRASH_ALIGN, lowWindow(lowMax)) !== undefined;
}

/** arch_reserve_crashkernel(), called by bootmem_init(): what is in use by then stays in use. */
export function arch_reserve_crashkernel(state: BootState): void {
  const { traits, parameters, memblock, sections, kfencePool, why } = state;
  const { facts } = state.question;
  const image = { start: facts.image.pa, end: sections.bssStop };
  const taken = kfencePool ? [image, kfencePool] : [image];
  const inputs = { traits, parameters, ...memblock, taken, facts };
  state.crashKernel = reserve_crashkernel_generic(inputs, why);
}

/**
 * struct resource crashk_res as it is captured: start in the low 64 bits, the address of the last
 * byte above them.
 */
export function crashResource(range: PhysicalRange | undefined): bigint {
  return range ? BigInt(range.start) | (BigInt(range.end - 1) << 64n) : 0n;
}
