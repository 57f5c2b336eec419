// SPDX-License-Identifier: GPL-2.0-only
import { attributeMaskLow, type DescriptorLayout, outputAddress } from './descriptor-layout.ts';
import { memoryTypeOfWords } from './memory-type.ts';
import type { Stage1Regime } from './regime.ts';

/** Bit 52 in the high word. */
const CONTIGUOUS = 1 << 20;

/**
 * What the architecture reserves in a valid page or block that still translates: one sentence for
 * each fault, none for a sound descriptor (DDI 0487 D8.3.1, D8.5, D8.6).
 */
export function leafFaults(
  regime: Stage1Regime,
  layout: DescriptorLayout,
  lo: number,
  hi: number,
): string[] {
  const faults: string[] = [];
  if ((lo & layout.leafZeroLow) !== 0 || (hi & layout.leafZeroHigh) !== 0) {
    faults.push(
      layout.level === 3
        ? 'A page has bits set that must be 0.'
        : 'A block is misaligned: address bits below its size are set.',
    );
  }
  if ((hi & CONTIGUOUS) !== 0 && layout.groupEntries === 0 && !regime.protectedBit) {
    faults.push(`The contiguous bit is reserved at level ${layout.level}.`);
  }
  const type = memoryTypeOfWords(regime, lo, hi);
  if (type.kind === 'reserved')
    faults.push(`The memory type is reserved (MAIR attribute ${type.name}).`);
  if (!regime.lpa2 && ((lo >>> 8) & 3) === 1 && type.kind === 'normal')
    faults.push('The shareability 0b01 is reserved.');
  return faults;
}

/** Is this a valid page or block with the contiguous bit, at a level that has groups? */
export function isGrouped(layout: DescriptorLayout, lo: number, hi: number): boolean {
  return (hi & CONTIGUOUS) !== 0 && (lo & 3) === (layout.level === 3 ? 3 : 1);
}

/**
 * What is wrong with the contiguous group that begins at entry `first`; undefined when the group is
 * complete, consecutive, aligned and has equal attributes (DDI 0487 D8.7.1). Access and dirty flags
 * may differ where hardware sets them.
 */
export function groupFault(
  regime: Stage1Regime,
  layout: DescriptorLayout,
  words: Uint32Array,
  first: number,
): string | undefined {
  const count = layout.groupEntries;
  const size = 2 ** layout.shift;
  const lo = words[2 * first] as number;
  const hi = words[2 * first + 1] as number;
  const base = outputAddress(layout, lo, hi);
  const compared = attributeMaskLow(layout) & ~hardwareFlags(regime, hi);
  for (let index = 0; index < count; index++) {
    const lo2 = words[2 * (first + index)];
    const hi2 = words[2 * (first + index) + 1];
    // Beyond the end of a table that is smaller than a group, the words are undefined: not a
    // grouped entry.
    if (lo2 === undefined || hi2 === undefined || !isGrouped(layout, lo2, hi2))
      return `A contiguous group is partial: entry ${index} of ${count} is no part of it.`;
    if (((lo ^ lo2) & compared) !== 0 || ((hi ^ hi2) & ~layout.outputHigh) !== 0) {
      return `A contiguous group is inconsistent: the attributes of entry ${index} differ from entry 0.`;
    }
    if (outputAddress(layout, lo2, hi2) !== base + index * size) {
      return `A contiguous group is inconsistent: the address of entry ${index} does not follow.`;
    }
  }
  if (base % (count * size) !== 0)
    return `A contiguous group is misaligned: its address is no multiple of its ${count} entries.`;
  return undefined;
}

/**
 * Bits of the low word that hardware may set in one entry of a group: AF (10), and AP[2] or nDirty
 * (7).
 */
function hardwareFlags(regime: Stage1Regime, hi: number): number {
  const modifiable = regime.indirection !== undefined || (hi & (1 << 19)) !== 0;
  return (
    (regime.hardwareAccessFlag ? 1 << 10 : 0) | (regime.hardwareDirty && modifiable ? 1 << 7 : 0)
  );
}
