// SPDX-License-Identifier: GPL-2.0-only
import type { LeafRun } from '../../vmsa/types.ts';
import type { CaseDrawing } from '../types.ts';

/**
 * Pictures measure memory in units of 4 KiB from `base`, along the linear map: a page that is
 * mapped to the wrong address is drawn where it should have been.
 */
export const unit = 4096;

/** A stretch of memory in units, end exclusive. */
export interface Span {
  from: number;
  to: number;
}

/** What the pictures of one checkpoint have in common. */
export interface Scale {
  /** Physical address in bytes of unit 0. */
  base: number;
  /** Where a run of leaves is, in units, by its virtual address. */
  span(run: LeafRun): Span;
  /** Memory that is or should be mapped, ascending; small holes count as memory. */
  regions: Span[];
  /** Where prediction and walk differ, ascending, merged. */
  differences: Span[];
}

/** Spans sorted and merged where the gap between two is at most `gap` units. */
export function mergeSpans(spans: readonly Span[], gap: number): Span[] {
  const merged: Span[] = [];
  for (const { from, to } of [...spans].sort((left, right) => left.from - right.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from - last.to <= gap) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}

/**
 * Virtual minus physical address of the linear map, from the first leaf: the map is linear
 * (arch/arm64/include/asm/memory.h).
 */
function linearOffset(drawing: CaseDrawing): bigint {
  const first = drawing.predicted[0] ?? drawing.actual[0];
  return first === undefined ? drawing.linearRegion.start : first.va - BigInt(first.pa);
}

/** A hole larger than this fraction of the memory is left out of the picture, and labelled. */
const holeShare = 1 / 64;

/** Measures a drawing: where memory is and where the two sides differ. */
export function measure(drawing: CaseDrawing): Scale {
  const offset = linearOffset(drawing);
  const runs = [...drawing.predicted, ...drawing.actual];
  // Both lists ascend.
  const firsts = [drawing.predicted[0], drawing.actual[0]].flatMap((run) =>
    run === undefined ? [] : [run.va],
  );
  const lowest = firsts.sort((left, right) => (left < right ? -1 : 1))[0] ?? offset;
  const span = ({ va, size }: LeafRun): Span => {
    const from = Number(va - lowest) / unit;
    return { from, to: from + size / unit };
  };
  const covered = mergeSpans(runs.map(span), 0);
  const total = covered.reduce((sum, { from, to }) => sum + to - from, 0);
  const differing = drawing.differences.map(({ expected, actual }) => {
    const run = expected ?? actual;
    return run === undefined ? { from: 0, to: 0 } : span(run);
  });
  return {
    base: Number(lowest - offset),
    span,
    regions: mergeSpans(covered, total * holeShare),
    differences: mergeSpans(differing, 0),
  };
}
