// SPDX-License-Identifier: GPL-2.0-only
/** A range [start, end) in bytes: of physical addresses, or of offsets in the linear region. */
interface ByteRange {
  start: number;
  end: number;
}

/** What is left of `range` without `holes`, which ascend by their start. */
export function subtract(range: ByteRange, holes: readonly ByteRange[]): ByteRange[] {
  const left: ByteRange[] = [];
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
