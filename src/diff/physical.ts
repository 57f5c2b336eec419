// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange, subtract } from '../linux/physical-range.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { clipRun } from './runs.ts';

/** The part of a run whose output addresses are in `range`, or undefined. */
export function clipToPhysical<R extends LeafRun>(run: R, range: PhysicalRange): R | undefined {
  const start = Math.max(run.pa, range.start);
  const end = Math.min(run.pa + run.size, range.end);
  if (start >= end) return undefined;
  return clipRun(run, run.va + BigInt(start - run.pa), run.va + BigInt(end - run.pa));
}

/**
 * The parts of the runs whose output addresses are in one of `ranges`; there may be a thousand of
 * each.
 */
export function runsOnto<R extends LeafRun>(
  runs: readonly R[],
  ranges: readonly PhysicalRange[],
): R[] {
  const onto: R[] = [];
  for (const run of runs) {
    for (const range of ranges) {
      const part = clipToPhysical(run, range);
      if (part) onto.push(part);
    }
  }
  return onto;
}

/** The parts of a run whose output addresses are outside all of `ranges` (ascending). */
export function partsOutside<R extends LeafRun>(run: R, ranges: readonly PhysicalRange[]): R[] {
  return subtract(sizedRange(run.pa, run.size), ranges).flatMap(
    (part) => clipToPhysical(run, part) ?? [],
  );
}
