// SPDX-License-Identifier: GPL-2.0-only
import type { Capture, Evidence } from '../evidence/capture.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import { first } from '../present.ts';
import { type Stage1Regime, stage1Regime } from '../vmsa/regime.ts';
import type { Granule, LeafRun, SystemRegisters } from '../vmsa/types.ts';
import { captureWithoutAlias } from './alias-bit.ts';
import type { Finding } from './types.ts';

/** A range of virtual addresses [start, end). */
export interface VirtualRange {
  start: bigint;
  end: bigint;
}

/** Borders of the kernel image's segments (arch/arm64/kernel/vmlinux.lds.S). */
export const imageSymbols = [
  '_text',
  '_stext',
  '_etext',
  '__start_rodata',
  '__init_begin',
  '__init_end',
  '_data',
  '__bss_stop',
  '_end',
] as const;
export type ImageSymbol = (typeof imageSymbols)[number];

/** Where the kernel image is in this boot. */
export interface ImageLayout {
  /** Link addresses, as in System.map. */
  symbols: Record<ImageSymbol, bigint>;
  /** Link address of tramp_pg_dir, where the kernel has one (CONFIG_UNMAP_KERNEL_AT_EL0). */
  trampPgDir?: bigint;
  /** KASLR slide in bytes: runtime address minus link address. */
  slide: bigint;
  /** Physical address of _text. */
  pa: number;
}

/** Bounds of the linear region that a kernel was built with (arch/arm64/include/asm/memory.h). */
export interface LinearLayout {
  /**
   * PAGE_OFFSET, which memstart_addr is mapped to: _PAGE_OFFSET(VA_BITS), even where the CPU has
   * fewer bits.
   */
  pageOffset: bigint;
  /** PAGE_END: _PAGE_END(VA_BITS_MIN). */
  pageEnd: bigint;
}

/**
 * How a kernel splits leaves of its linear map, where it has split_kernel_leaf_mapping() (6.18).
 */
export interface LeafSplitting {
  /**
   * Number of the system capability for it, a bit of system_cpucaps; absent where the Image does
   * not show it.
   */
  capability?: number;
  /**
   * It checks linear_map_requires_bbml2 or 3 (f12b435de2f2), so the variable shows whether it
   * splits.
   */
  asksRequires: boolean;
}

/** The linear region at one checkpoint. */
export interface LinearRegion extends VirtualRange {
  /**
   * The value to add to a physical address to get its linear virtual address; absent where
   * memstart_addr could not be read.
   */
  vaMinusPa?: bigint;
}

/**
 * The facts of one boot that the invariants may use: what the Image shows about the kernel, and
 * what was observed. None of them is predicted.
 */
export interface BootContext {
  evidence: Evidence;
  /** Granule of TTBR1. */
  granule: Granule;
  /** memblock's memory without NOMAP regions: ascending, in bytes. */
  ram: PhysicalRange[];
  /** memblock's NOMAP memory: ascending, in bytes. */
  noMap: PhysicalRange[];
  /** Of a board: memory that came after map_mem() had run; ascending, in bytes. */
  added?: PhysicalRange[];
  layout: LinearLayout;
  image: ImageLayout;
  /** In a realm, the address bit of shared memory, as a number; 0 elsewhere. */
  aliasBit: number;
  /** Absent where the kernel cannot split leaves. */
  splitting?: LeafSplitting;
  /**
   * Ranges whose leaves the running kernel may change at any moment (KFENCE pool): dumps taken at
   * two times may differ there.
   */
  unsteady: VirtualRange[];
  /** The leaves are lines of the kernel's own dump, which has neither addresses nor raw bits. */
  dumped?: true;
  /** Of a board without symbols: [_text, __init_begin) by /proc/iomem, in bytes. */
  kernelCode?: PhysicalRange;
}

/** One checkpoint of a boot. */
export interface CheckpointContext extends BootContext {
  /** The capture with the physical addresses of memory: without the alias bit of a realm. */
  capture: Capture;
  /** The capture as it was read. */
  rawCapture: Capture;
  /** Translation regime of TTBR1 by CPU 0's registers at this checkpoint. */
  regime: Stage1Regime;
  linear: LinearRegion;
  /** Regime of TTBR0; present when `capture.ttbr0` is. */
  userRegime?: Stage1Regime;
}

/**
 * The context of one checkpoint of a boot: both halves' regimes decoded from CPU 0's registers, as
 * the walk did.
 */
export function checkpointContext(boot: BootContext, capture: Capture): CheckpointContext {
  const { registers } = first(capture.cpus);
  const regime = stage1Regime(registers, 'ttbr1');
  return {
    ...boot,
    capture: captureWithoutAlias(capture, boot.aliasBit),
    rawCapture: capture,
    regime,
    linear: linearRegion(boot.layout, capture, regime),
    ...(capture.ttbr0 && { userRegime: stage1Regime(registers, 'ttbr0') }),
  };
}

/**
 * The linear region: its start follows from TCR_EL1.T1SZ, and memstart_addr gives the offset, since
 * __phys_to_virt() is (pa - memstart_addr) | PAGE_OFFSET. If a kernel for 52 bits runs with fewer,
 * arm64_memblock_init() lowers memstart_addr by the amount that the region is shorter
 * (arch/arm64/mm/init.c).
 */
export function linearRegion(
  { pageOffset, pageEnd }: LinearLayout,
  { variables }: Pick<Capture, 'variables'>,
  { base }: Pick<Stage1Regime, 'base'>,
): LinearRegion {
  const { memstart_addr: memstart } = variables;
  const region = { start: base, end: pageEnd };
  return memstart === undefined
    ? region
    : { ...region, vaMinusPa: pageOffset - BigInt.asIntN(64, memstart) };
}

/** A rule that holds for every kernel, whatever its logic, checked at one checkpoint. */
export type Invariant = (context: CheckpointContext) => Finding[];

/** A rule about a whole boot. */
export type BootInvariant = (context: BootContext) => Finding[];

/** Runtime virtual address of an image symbol. */
export function imageVa(image: ImageLayout, symbol: ImageSymbol): bigint {
  return image.symbols[symbol] + image.slide;
}

/** Physical address of an image symbol: the image is contiguous in physical memory. */
export function imagePa(image: ImageLayout, symbol: ImageSymbol): number {
  return image.pa + Number(image.symbols[symbol] - image.symbols._text);
}

/** Physical range [from, to) of a part of the image. */
export function imageRange(image: ImageLayout, from: ImageSymbol, to: ImageSymbol): PhysicalRange {
  return { start: imagePa(image, from), end: imagePa(image, to) };
}

/** True when the whole run lies in [start, end) of virtual addresses. */
export function inVirtual(run: LeafRun, range: VirtualRange): boolean {
  return run.va >= range.start && run.va + BigInt(run.size) <= range.end;
}

/**
 * Whether a captured flag is set; a kernel without the variable has nothing of what it switches on.
 */
export function isSet({ capture }: Pick<CheckpointContext, 'capture'>, variable: string): boolean {
  return (capture.variables[variable] ?? 0n) !== 0n;
}

/** Whether rodata= left the kernel image protected: `rodata_enabled`, init/main.c. */
export function rodataEnabled(context: CheckpointContext): boolean {
  return isSet(context, 'rodata_enabled');
}

/**
 * True when TTBR1 holds tramp_pg_dir: the CPU runs user space under KPTI (tramp_exit in
 * arch/arm64/kernel/entry.S), and its TTBR1 says nothing about the kernel's tables. Bits 5:2 of
 * TTBR1, address bits 51:48 with 52-bit physical addresses, are 0 for any RAM that QEMU's virt
 * board can have.
 */
export function inTrampoline(image: ImageLayout, { TTBR1_EL1 }: SystemRegisters): boolean {
  if (image.trampPgDir === undefined) return false;
  return (
    (TTBR1_EL1 & 0xffff_ffff_fffen) === BigInt(image.pa) + image.trampPgDir - image.symbols._text
  );
}
