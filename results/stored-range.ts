// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange, sizeOf } from '../src/linux/physical-range.ts';

/** A range as the files of a case hold it, in bytes. */
export interface StoredRange {
  base: number;
  size: number;
}

/** A range, and what else is said of it, as files hold it. */
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
