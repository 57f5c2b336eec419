// SPDX-License-Identifier: GPL-2.0-only
import { geometryOf, levelShift } from '../linux/geometry.ts';
import type { Granule, LeafRun } from '../vmsa/types.ts';

/** One past the last virtual address of a run. */
export function endOf(run: { va: bigint; size: number }): bigint {
  return run.va + BigInt(run.size);
}

/**
 * Leaf entries in a run; if a finer run on the other side cuts this one, its last entry counts as a
 * whole.
 */
export function entriesOf(run: LeafRun, granule: Granule): number {
  return Math.ceil(run.size / 2 ** levelShift(geometryOf(granule), run.level));
}

/** The part of a run in [start, end), which must overlap it; the run itself when it is inside. */
export function clipRun<R extends LeafRun>(run: R, start: bigint, end: bigint): R {
  const from = run.va > start ? run.va : start;
  const to = endOf(run) < end ? endOf(run) : end;
  if (from === run.va && to === endOf(run)) return run;
  return { ...run, va: from, pa: run.pa + Number(from - run.va), size: Number(to - from) };
}

/** The parts of the runs (ascending by VA) that are in [start, end). */
export function runsIn<R extends LeafRun>(runs: readonly R[], start: bigint, end: bigint): R[] {
  const inside: R[] = [];
  for (const run of runs) {
    if (endOf(run) <= start) continue;
    if (run.va >= end) break;
    inside.push(clipRun(run, start, end));
  }
  return inside;
}
