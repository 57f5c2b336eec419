// SPDX-License-Identifier: GPL-2.0-only
import { decodeTlbi } from '../../bbm/tlbi.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';

/** What a TLB invalidation takes: offsets in TTBR1, its end not included. */
export interface Invalidated {
  start: number;
  end: number;
}

/** Everything. */
export const allOffsets: Invalidated = { start: 0, end: Infinity };

/** Bytes that decodeTlbi() counts in. */
const tlbiUnit = 4096;

/** What a TLBI takes of the kernel's half; undefined for what is not of EL1. */
export function invalidatedBy(
  insn: number,
  operand: bigint,
  { lpa2, base }: Stage1Regime,
): Invalidated | undefined {
  const what = decodeTlbi(insn, operand, lpa2);
  if (what?.range === undefined) return what && allOffsets;
  const { start, end } = what.range;
  const first = Number(BigInt.asIntN(56, base));
  return { start: start * tlbiUnit - first, end: end * tlbiUnit - first };
}

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
