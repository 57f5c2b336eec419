// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange, sizeOf } from '../src/linux/physical-range.ts';

/** A range as stored in the files of a case, in bytes. */
export interface StoredRange {
  base: number;
  size: number;
}

/** A range, with its other members, as stored in files. */
export function storeRange<T extends PhysicalRange>(
  range: T,
): StoredRange & Omit<T, keyof PhysicalRange> {
  const { start, end, ...rest } = range;
  return { base: start, size: sizeOf({ start, end }), ...rest };
}

/** The range that storeRange() stored. */
export function loadRange<T extends StoredRange>({
  base,
  size,
  ...rest
}: T): PhysicalRange & Omit<T, keyof StoredRange> {
  return { ...sizedRange(base, size), ...rest };
}
