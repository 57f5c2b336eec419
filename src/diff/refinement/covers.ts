// SPDX-License-Identifier: GPL-2.0-only

/** What a TLB invalidation takes: offsets in TTBR1, its end not included. */
export interface Invalidated {
  start: number;
  end: number;
}

/** Everything. */
export const allOffsets: Invalidated = { start: 0, end: Infinity };

/**
 * Whether TLB invalidations, together, cover a range of offsets; each of them takes whole pages.
 * Whether they come in time, and reach every CPU, src/bbm checks.
 */
export function covers(
  tlbis: readonly Invalidated[],
  start: number,
  end: number,
  granule: number,
): boolean {
  let covered = start;
  const inOrder =
    tlbis.length > 1 ? tlbis.toSorted((left, right) => left.start - right.start) : tlbis;
  for (const each of inOrder) {
    if (Math.floor(each.start / granule) * granule > covered) break;
    const last = Math.ceil(each.end / granule) * granule;
    if (last > covered) covered = last;
  }
  return covered >= end;
}
