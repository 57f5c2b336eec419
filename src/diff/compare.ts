// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName } from '../evidence/capture.ts';
import type { PredictedRun } from '../model/types.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { clipRun, endOf } from './runs.ts';

/**
 * One stretch of virtual addresses where prediction and walk disagree in one way: only predicted
 * (`actual` absent), only found (`expected` absent), or both and different. Where both exist, they
 * cover the same addresses.
 */
export interface LeafDifference {
  expected?: PredictedRun;
  actual?: LeafRun;
}

/** For each checkpoint that was both predicted and captured; empty where all leaves agree. */
export type LeafDifferences = Partial<Record<CheckpointName, LeafDifference[]>>;

/**
 * True when two runs cut to the same addresses consist of the same leaves, or of an alternative
 * that is also correct.
 */
function agree(expected: PredictedRun, actual: LeafRun): boolean {
  if (
    expected.pa !== actual.pa ||
    expected.level !== actual.level ||
    expected.tableAttributes !== actual.tableAttributes
  ) {
    return false;
  }
  // An alternative is a complete descriptor: it says itself whether the leaf is valid and
  // contiguous.
  if (expected.alternatives.includes(actual.attributes)) return true;
  return (
    expected.attributes === actual.attributes &&
    expected.valid === actual.valid &&
    expected.contiguous === actual.contiguous
  );
}

/**
 * Compares the leaves of two lists of runs, each ascending in VA without overlap, in one merge.
 * Runs may be cut differently: only the individual entries count (one run of N leaves equals two
 * adjacent runs of the same leaves, since entries are naturally aligned and cannot straddle a
 * common cut of equal levels).
 * @returns the differences in ascending VA; empty when every leaf agrees in VA, PA, size, level and
 * every attribute bit.
 */
export function diffLeaves(
  predicted: readonly PredictedRun[],
  actual: readonly LeafRun[],
): LeafDifference[] {
  const differences: LeafDifference[] = [];
  let p = 0;
  let a = 0;
  let va = 0n;
  while (p < predicted.length || a < actual.length) {
    const ours = p < predicted.length ? predicted[p] : undefined;
    const theirs = a < actual.length ? actual[a] : undefined;
    const expectedStart = ours && later(ours.va, va);
    const actualStart = theirs && later(theirs.va, va);
    const start = earlier(expectedStart, actualStart);
    const expectedHere = expectedStart === start ? ours : undefined;
    const actualHere = actualStart === start ? theirs : undefined;
    // The piece ends where a covering run ends, or where the other side starts.
    const expectedEnd = expectedHere ? endOf(expectedHere) : expectedStart;
    const actualEnd = actualHere ? endOf(actualHere) : actualStart;
    va = earlier(expectedEnd, actualEnd);
    const difference: LeafDifference = {};
    if (expectedHere) difference.expected = clipRun(expectedHere, start, va);
    if (actualHere) difference.actual = clipRun(actualHere, start, va);
    if (
      !difference.expected ||
      !difference.actual ||
      !agree(difference.expected, difference.actual)
    ) {
      differences.push(difference);
    }
    if (expectedHere && endOf(expectedHere) === va) p++;
    if (actualHere && endOf(actualHere) === va) a++;
  }
  return differences;
}

function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint {
  if (a === undefined) return b as bigint;
  return b === undefined || a < b ? a : b;
}
