// SPDX-License-Identifier: GPL-2.0-only
import type { Invalidation } from '../../bbm/tlbi.ts';

/**
 * Whether TLB invalidations, together, cover a range; each of them takes whole pages. Whether they
 * come in time, and reach every CPU, src/bbm checks.
 */
export function covers(
  tlbis: readonly Invalidation[],
  start: bigint,
  end: bigint,
  granule: number,
): boolean {
  const beforePage = BigInt(granule - 1);
  let covered = start;
  const inOrder = tlbis.length > 1 ? tlbis.toSorted(byStart) : tlbis;
  for (const { range } of inOrder) {
    if (range === undefined) return true;
    if ((range.start & ~beforePage) > covered) break;
    const last = (range.end + beforePage) & ~beforePage;
    if (last > covered) covered = last;
  }
  return covered >= end;
}

function byStart({ range: left }: Invalidation, { range: right }: Invalidation): number {
  if (!left || !right) return left ? 1 : -1;
  return left.start < right.start ? -1 : left.start > right.start ? 1 : 0;
}
