// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../linux/physical-range.ts';
import { split_leaf_mapping_possible, whenFinal } from '../../model/arch/arm64/mm/mmu-split.ts';
import type { Kernel } from '../../model/boot-state.ts';
import type { CheckpointPrediction, PredictedRun } from '../../model/types.ts';
import { last } from '../../present.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { clipRun, endOf } from '../runs.ts';
import { ActualLeaves, type Stretch } from './places.ts';
import { Refinement, type SplitPoints } from './refine.ts';

/** Physical memory, and what uses it: 'memfd_secret page', 'module text alias'. */
export interface Owned extends PhysicalRange {
  what: string;
}

/** Places at which the kernel must have split before anybody looked. */
export interface OwnedSplitPoints extends SplitPoints {
  /** What uses memory of the structures that were split; absent where that is not known. */
  owner?: string;
}

export interface SplitHistory {
  /** The prediction with these splits: what still differs from it is a finding. */
  prediction: CheckpointPrediction;
  /** As few as it takes, in ascending address. */
  points: OwnedSplitPoints[];
  /** How many points these are. */
  splits: number;
}

/**
 * Infers which splits of the linear map a kernel must have made while it ran. Leaves smaller than
 * predicted are explained where split_kernel_leaf_mapping() leaves such ones behind: a block or a
 * contiguous group becomes the next smaller leaves as a whole, and only on kernels and CPUs that
 * split at all. Nothing else about a leaf is ever explained: its address, its permissions, its
 * memory type, nG, a hole, or a group of which a part is still contiguous. Takes time in the number
 * of runs, and of the tables that were made.
 * @param kernel with its final decisions
 * @param actual leaves of the linear region, in ascending address
 * @param owned what is known to use some memory
 */
export function explainSplits(
  kernel: Kernel,
  predicted: CheckpointPrediction,
  actual: readonly LeafRun[],
  owned: readonly Owned[] = [],
): SplitHistory {
  const base = predicted.leaves[0]?.va;
  const unchanged = { prediction: predicted, points: [], splits: 0 };
  if (base === undefined || split_leaf_mapping_possible(kernel, whenFinal) !== 'split')
    return unchanged;
  // Structures are aligned as the region is, and no region is aligned to less than its root table.
  const start = base - (base % BigInt(kernel.traits.geometry.PUD_SIZE));
  const refinement = new Refinement(kernel.traits, start, new ActualLeaves(actual, start));
  for (const run of joined(predicted.leaves)) refinement.add(run);
  const { leaves, tables } = refinement;
  const owners = inOrder(owned);
  const points = refinement.points
    .flatMap((point) => withOwners(point, owners))
    .sort((a, b) => compareAddresses(a.va, b.va));
  if (points.length === 0) return unchanged;
  return {
    prediction: {
      ...predicted,
      leaves: withReasons(leaves, predicted.leaves),
      tables: [...predicted.tables, ...tables].sort(
        (a, b) => compareAddresses(a.va, b.va) || a.level - b.level,
      ),
    },
    points,
    splits: points.reduce((sum, { count }) => sum + count, 0),
  };
}

const compareAddresses = (a: bigint, b: bigint): number => (a < b ? -1 : Number(a > b));

/** Every single point, as split_kernel_leaf_mapping_locked() takes them. */
export function* singlePoints(points: readonly SplitPoints[]): Generator<bigint> {
  for (const { va, step, count } of points) {
    for (let index = 0; index < count; index++) yield va + BigInt(index) * BigInt(step);
  }
}

/**
 * Runs without the borders between two reasons: a contiguous group may lie across one. A run with
 * alternatives stays alone.
 */
function joined(runs: readonly PredictedRun[]): PredictedRun[] {
  const spans: PredictedRun[] = [];
  for (const run of runs) {
    const before = spans.at(-1);
    const continues =
      before !== undefined &&
      endOf(before) === run.va &&
      before.pa + before.size === run.pa &&
      before.level === run.level &&
      before.attributes === run.attributes &&
      before.tableAttributes === run.tableAttributes &&
      before.alternatives.length === 0 &&
      run.alternatives.length === 0;
    if (continues) spans.splice(-1, 1, { ...before, size: before.size + run.size });
    else spans.push(run);
  }
  return spans;
}

/** Leaves with the reasons that the prediction gives for the same addresses. */
function withReasons(
  leaves: readonly PredictedRun[],
  predicted: readonly PredictedRun[],
): PredictedRun[] {
  const reasoned: PredictedRun[] = [];
  let at = 0;
  for (const leaf of leaves) {
    for (; at < predicted.length; at++) {
      const run = predicted[at] as PredictedRun;
      const { why } = run;
      reasoned.push({ ...clipRun(leaf, run.va, endOf(run)), why });
      if (endOf(run) > endOf(leaf)) break;
      if (endOf(run) === endOf(leaf)) {
        at++;
        break;
      }
    }
  }
  return reasoned;
}

/** Owned memory in ascending address, without overlap. */
function inOrder(owned: readonly Owned[]): Owned[] {
  const sorted = [...owned].sort((a, b) => a.start - b.start);
  const apart: Owned[] = [];
  for (const range of sorted) {
    const start = Math.max(range.start, apart.length === 0 ? 0 : last(apart).end);
    if (start < range.end) apart.push({ ...range, start });
  }
  return apart;
}

/** Points cut into those whose structures one owner uses, and those that nobody known does. */
function withOwners(points: SplitPoints, owned: readonly Owned[]): OwnedSplitPoints[] {
  const { pa, step } = points;
  const pieces: OwnedSplitPoints[] = [];
  let next = 0;
  const upTo = (end: number, owner?: string): void => {
    if (end <= next) return;
    pieces.push({ ...partOf(points, { start: next, end }), ...(owner !== undefined && { owner }) });
    next = end;
  };
  for (const { start, end, what } of owned) {
    const from = Math.max(next, Math.floor((start - pa) / step));
    const to = Math.min(points.count, Math.ceil((end - pa) / step));
    if (from >= to) continue;
    upTo(from);
    upTo(to, what);
  }
  upTo(points.count);
  return pieces;
}

/** Some of the points, by their numbers. */
function partOf(points: SplitPoints, { start, end }: Stretch): SplitPoints {
  const skipped = start * points.step;
  return {
    ...points,
    va: points.va + BigInt(skipped),
    structure: points.structure + BigInt(skipped),
    pa: points.pa + skipped,
    count: end - start,
  };
}

/** How a linear map relates to its prediction. */
export type Grade = 'exact' | 'explained' | 'mismatch';

/**
 * @param differs whether the linear map still differs from the prediction with the splits
 */
export function gradeOf({ splits }: Pick<SplitHistory, 'splits'>, differs: boolean): Grade {
  if (differs) return 'mismatch';
  return splits === 0 ? 'exact' : 'explained';
}
