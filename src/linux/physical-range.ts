// SPDX-License-Identifier: GPL-2.0-only
/** [start, end), of numbers or bigints. */
interface Range<T extends number | bigint> {
  start: T;
  end: T;
}

/** Physical addresses [start, end), in bytes. */
export type PhysicalRange = Range<number>;

/** The range of `size` bytes from `start`. */
export function sizedRange(start: number, size: number): PhysicalRange {
  return { start, end: start + size };
}

/** Total bytes of one or more ranges. */
export function sizeOf(...ranges: readonly PhysicalRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** Whether two ranges have a byte in common. */
export function overlap(one: PhysicalRange, other: PhysicalRange): boolean {
  return one.start < other.end && other.start < one.end;
}

/** What is left of `range`, of any addresses, without `holes`, whose starts ascend. */
export function subtract<T extends number | bigint>(
  range: Range<T>,
  holes: readonly Range<T>[],
): Range<T>[] {
  const left: Range<T>[] = [];
  let start = range.start;
  for (const hole of holes) {
    if (hole.end <= start) continue;
    if (hole.start >= range.end) break;
    if (hole.start > start) left.push({ start, end: hole.start });
    start = hole.end;
  }
  if (start < range.end) left.push({ start, end: range.end });
  return left;
}

/** Whether `range` lies inside one of `ranges` (ascending) or of several that touch. */
export function contains(ranges: readonly PhysicalRange[], range: PhysicalRange): boolean {
  return subtract(range, ranges).length === 0;
}

/**
 * The same bytes in ascending order and as few ranges as possible: ranges that overlap or touch
 * become one.
 */
export function join(ranges: readonly PhysicalRange[]): PhysicalRange[] {
  const joined: PhysicalRange[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else joined.push({ start, end });
  }
  return joined;
}

/** The whole units inside a range; may be empty (`end` not above `start`). */
export function roundInward({ start, end }: PhysicalRange, unit: number): PhysicalRange {
  return { start: Math.ceil(start / unit) * unit, end: Math.floor(end / unit) * unit };
}

/** The whole units that a range touches. */
export function roundOutward({ start, end }: PhysicalRange, unit: number): PhysicalRange {
  return { start: Math.floor(start / unit) * unit, end: Math.ceil(end / unit) * unit };
}
