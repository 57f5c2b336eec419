import type { PredictedRun } from '../model/types.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { clipRun, endOf } from './runs.ts';

/**
 * One stretch of virtual addresses where prediction and walk disagree in one way: only predicted (`actual` absent),
 * only found (`expected` absent), or both and different. Where both exist they cover the same addresses.
 */
export interface LeafDifference {
  expected?: PredictedRun;
  actual?: LeafRun;
}

/** True when two runs cut to the same addresses consist of the same leaves, or of an alternative that is right too. */
function agree(expected: PredictedRun, actual: LeafRun): boolean {
  if (
    expected.pa !== actual.pa ||
    expected.level !== actual.level ||
    expected.tableAttributes !== actual.tableAttributes
  ) {
    return false;
  }
  // An alternative is a whole descriptor: it says itself whether the leaf is valid and contiguous.
  if (expected.alternatives.includes(actual.attributes)) return true;
  return (
    expected.attributes === actual.attributes &&
    expected.valid === actual.valid &&
    expected.contiguous === actual.contiguous
  );
}

/**
 * Compares the leaves of two lists of runs, each ascending in VA without overlap, in one merge.
 * Runs may be cut differently: only what the single entries are counts (one run of N leaves equals two adjacent runs of
 * the same leaves, since entries are naturally aligned and cannot straddle a common cut of equal levels).
 * @returns the differences in ascending VA; empty when every leaf agrees in VA, PA, size, level and every attribute
 * bit.
 */
export function diffLeaves(predicted: readonly PredictedRun[], actual: readonly LeafRun[]): LeafDifference[] {
  const differences: LeafDifference[] = [];
  let p = 0;
  let a = 0;
  let va = 0n;
  while (p < predicted.length || a < actual.length) {
    const expectedStart = p < predicted.length ? later(predicted[p].va, va) : undefined;
    const actualStart = a < actual.length ? later(actual[a].va, va) : undefined;
    const start = earlier(expectedStart, actualStart);
    const expectedHere = expectedStart === start;
    const actualHere = actualStart === start;
    // The piece ends where a covering run ends, or where the other side starts.
    const expectedEnd = expectedHere ? endOf(predicted[p]) : expectedStart;
    const actualEnd = actualHere ? endOf(actual[a]) : actualStart;
    va = earlier(expectedEnd, actualEnd);
    const difference: LeafDifference = {};
    if (expectedHere) difference.expected = clipRun(predicted[p], start, va);
    if (actualHere) difference.actual = clipRun(actual[a], start, va);
    if (!difference.expected || !difference.actual || !agree(difference.expected, difference.actual)) {
      differences.push(difference);
    }
    if (expectedHere && endOf(predicted[p]) === va) p++;
    if (actualHere && endOf(actual[a]) === va) a++;
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
