// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointPrediction } from '../model/types.ts';
import type { LeafRun, TablePage } from '../vmsa/types.ts';
import type { LeafDifference } from './compare.ts';
import type { CheckpointContext } from './context.ts';
import { partsOutside } from './physical.ts';
import { endOf, runsIn } from './runs.ts';

/* What of the tables of a board can be compared with a prediction; of a boot, that is all. */

/** The leaves of the linear region, without those of memory that came after the boot had made it. */
export function foundLeaves({ rawCapture, linear, added = [] }: CheckpointContext): LeafRun[] {
  const found = runsIn(rawCapture.ttbr1.leaves, linear.start, linear.end);
  return added.length === 0 ? found : found.flatMap((run) => partsOutside(run, added));
}

/** Whether a difference touches what never was the same in two walks of a board. */
export function isUnsettled(
  { expected, actual }: LeafDifference,
  { evidence: { unsettled = [] } }: CheckpointContext,
): boolean {
  const run = expected ?? actual;
  return (
    run !== undefined && unsettled.some(({ start, end }) => run.va < end && endOf(run) > start)
  );
}

/** The tables of the linear region as the same rules leave them. */
export function foundTables(
  { rawCapture, linear, added = [], evidence: { unsettled = [] } }: CheckpointContext,
  predicted: CheckpointPrediction,
): TablePage[] {
  const { tables } = rawCapture.ttbr1;
  const { vaMinusPa } = linear;
  if ((added.length === 0 && unsettled.length === 0) || vaMinusPa === undefined) return tables;
  const ranges = [
    ...unsettled,
    ...added.map(({ start, end }) => ({
      start: BigInt(start) + vaMinusPa,
      end: BigInt(end) + vaMinusPa,
    })),
  ];
  const known = new Set(predicted.tables.map(({ level, va }) => `${level} ${va}`));
  return tables.filter(
    ({ level, va }) =>
      known.has(`${level} ${va}`) || !ranges.some(({ start, end }) => va >= start && va < end),
  );
}
