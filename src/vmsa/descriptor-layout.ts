// SPDX-License-Identifier: GPL-2.0-only
import type { Descriptor } from './descriptor.ts';
import type { Stage1Regime } from './regime.ts';
import type { Granule, Level } from './types.ts';

/**
 * Where the fields of a descriptor are at one level, as masks over its two 32-bit halves: the
 * walker's inner loop must not touch a bigint. Masks are int32, as JavaScript's bit operators
 * produce them.
 */
export interface DescriptorLayout {
  level: Level;
  /** log2 of the bytes that one entry covers. */
  shift: number;
  /** Output address bits of a page or block that are at their own position. */
  outputLow: number;
  outputHigh: number;
  /** Next-level table address bits that are at their own position. */
  tableLow: number;
  tableHigh: number;
  /**
   * Output address bits at another position, in the low word: (low >>> upperShift & upperMask) *
   * upperUnit.
   */
  upperShift: number;
  upperMask: number;
  upperUnit: number;
  /** Bits that must be 0 in a valid page or block, and in a table descriptor. */
  leafZeroLow: number;
  leafZeroHigh: number;
  tableZeroLow: number;
  tableZeroHigh: number;
  /** A valid descriptor with bit 1 clear is a block here; elsewhere that encoding is reserved. */
  blocks: boolean;
  /** Entries of a contiguous group; 0 where the contiguous bit is reserved. */
  groupEntries: number;
}

/** Entries of a contiguous group by level (DDI 0487 D8.7.1). */
const groups: Record<Granule, Partial<Record<Level, number>>> = {
  4096: { 1: 16, 2: 16, 3: 16 },
  16384: { 2: 32, 3: 128 },
  65536: { 2: 32, 3: 32 },
};

/** Layouts of every level that a walk of this regime can meet, from the start level to level 3. */
export function descriptorLayouts(regime: Stage1Regime): Map<Level, DescriptorLayout> {
  const layouts = new Map<Level, DescriptorLayout>();
  for (let level = regime.startLevel; level <= 3; level++) {
    layouts.set(level as Level, descriptorLayout(regime, level as Level));
  }
  return layouts;
}

/** Layout of the descriptors at one level (DDI 0487 D8.3.1). */
function descriptorLayout(regime: Stage1Regime, level: Level): DescriptorLayout {
  const pageShift = Math.log2(regime.granule);
  const shift = pageShift + (pageShift - 3) * (3 - level);
  // 64K granules keep OA[51:48] in bits 15:12 (LPA), 4K and 16K with DS keep OA[51:50] in bits 9:8
  // (LPA2).
  const lpa = regime.granule === 65536;
  const top = regime.lpa2 ? 49 : 47;
  const output = span(shift, top);
  const table = span(pageShift, top);
  const upper = lpa ? span(12, 15) : 0n;
  // Address bits below the size of a page or block. Bit 16 of a block is nT (FEAT_BBM); in a page
  // it is not one of these bits.
  const blockGap = span(12, shift - 1) & ~(1n << 16n);
  const reserved = regime.lpa2 ? 0n : span(48, 49);
  const leafZero = (blockGap & ~upper) | reserved;
  const tableZero = (span(12, pageShift - 1) & ~upper) | reserved | (1n << 50n);
  return {
    level,
    shift,
    outputLow: low(output),
    outputHigh: high(output),
    tableLow: low(table),
    tableHigh: high(table),
    upperShift: lpa ? 12 : 8,
    upperMask: lpa ? 15 : regime.lpa2 ? 3 : 0,
    upperUnit: lpa ? 2 ** 48 : 2 ** 50,
    leafZeroLow: low(leafZero),
    leafZeroHigh: high(leafZero),
    tableZeroLow: low(tableZero),
    tableZeroHigh: high(tableZero),
    blocks: blocksAllowed(regime, level),
    groupEntries: regime.protectedBit ? 0 : (groups[regime.granule][level] ?? 0),
  };
}

/** Output address of a page or block descriptor. */
export function outputAddress(layout: DescriptorLayout, lo: number, hi: number): number {
  return address(layout, lo & layout.outputLow, hi & layout.outputHigh, lo);
}

/** Address of the table that a table descriptor points to. */
export function nextTable(layout: DescriptorLayout, lo: number, hi: number): number {
  return address(layout, lo & layout.tableLow, hi & layout.tableHigh, lo);
}

/** A page or block descriptor without its output address. */
export function leafAttributes(layout: DescriptorLayout, lo: number, hi: number): bigint {
  return join(lo & attributeMaskLow(layout), hi & ~layout.outputHigh);
}

/** A table descriptor without its next-level table address. */
export function tableDescriptorAttributes(
  layout: DescriptorLayout,
  lo: number,
  hi: number,
): bigint {
  return join(
    lo & ~(layout.tableLow | (layout.upperMask << layout.upperShift)),
    hi & ~layout.tableHigh,
  );
}

/** Mask of the bits in the low word of a page or block that are not part of the output address. */
export function attributeMaskLow(layout: DescriptorLayout): number {
  return ~(layout.outputLow | (layout.upperMask << layout.upperShift));
}

/** A 64-bit value from its two words. */
export function join(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** The two words of a 64-bit value. */
export function split(value: bigint): Descriptor {
  return { low: Number(value & 0xffff_ffffn), high: Number((value >> 32n) & 0xffff_ffffn) };
}

/**
 * Blocks at level 0 (4K) and 1 (16K) need DS, at level 1 (64K) a 52-bit output address (DDI 0487
 * D8.3.1).
 */
function blocksAllowed(regime: Stage1Regime, level: Level): boolean {
  if (level === 2) return true;
  if (regime.granule === 4096) return level === 1 || (level === 0 && regime.lpa2);
  return level === 1 && (regime.granule === 16384 ? regime.lpa2 : regime.outputBits === 52);
}

function address(layout: DescriptorLayout, lo: number, hi: number, word: number): number {
  return (
    (hi >>> 0) * 2 ** 32 +
    (lo >>> 0) +
    ((word >>> layout.upperShift) & layout.upperMask) * layout.upperUnit
  );
}

/** Bits last:first set; empty when last < first. */
function span(first: number, last: number): bigint {
  return last < first ? 0n : ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
}

function low(mask: bigint): number {
  return Number(BigInt.asIntN(32, mask));
}

/** No mask has bit 63. */
function high(mask: bigint): number {
  return Number(mask >> 32n);
}
