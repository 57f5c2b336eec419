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
  const page = granule / 4096;
  let covered = unitsOf(start);
  const inOrder = tlbis.length > 1 ? tlbis.toSorted(byStart) : tlbis;
  for (const { range } of inOrder) {
    if (range === undefined) return true;
    if (Math.floor(range.start / page) * page > covered) break;
    covered = Math.max(covered, Math.ceil(range.end / page) * page);
  }
  return covered >= unitsOf(end);
}

/** Of a virtual address, in what invalidations count in: 4 KiB, below 0 in the upper half. */
const unitsOf = (va: bigint): number => Number(BigInt.asIntN(56, va) >> 12n);

function byStart({ range: left }: Invalidation, { range: right }: Invalidation): number {
  if (!left || !right) return left ? 1 : -1;
  return left.start - right.start;
}
