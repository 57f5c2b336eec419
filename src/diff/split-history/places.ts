// SPDX-License-Identifier: GPL-2.0-only
import { join, type PhysicalRange, roundOutward, subtract } from '../../linux/physical-range.ts';
import { partitionPoint } from '../../partition-point.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { endOf } from '../runs.ts';
import { rankOf } from './structure.ts';

/*
 * Stretches [start, end) in bytes from the start of the linear region: below 2^52, so exact as
 * numbers.
 */
export type Stretch = PhysicalRange;

/** Actual leaves in ascending address, with places as numbers: a bigint is too slow to search. */
export class ActualLeaves {
  readonly #starts: number[];
  readonly #ends: number[];
  readonly #ranks: number[];

  /**
   * @param runs ascending in virtual address, without overlap
   * @param base start of the linear region
   */
  constructor(runs: readonly LeafRun[], base: bigint) {
    this.#starts = runs.map(({ va }) => Number(va - base));
    this.#ends = runs.map((run) => Number(endOf(run) - base));
    this.#ranks = runs.map(rankOf);
  }

  /** The parts of a stretch with leaves, and whether their kind is smaller than one of `rank`. */
  within({ start, end }: Stretch, rank: number): Record<'smaller' | 'other', Stretch[]> {
    const found: Record<'smaller' | 'other', Stretch[]> = { smaller: [], other: [] };
    let at = partitionPoint(this.#ends, (to) => to <= start);
    for (; at < this.#starts.length; at++) {
      const from = this.#starts[at] as number;
      if (from >= end) break;
      const to = this.#ends[at] as number;
      const side = (this.#ranks[at] as number) < rank ? 'smaller' : 'other';
      found[side].push({ start: Math.max(start, from), end: Math.min(end, to) });
    }
    return found;
  }
}

/** The whole units of `unit` bytes that some stretches touch. */
export function touched(stretches: readonly Stretch[], unit: number): Stretch[] {
  return join(stretches.map((stretch) => roundOutward(stretch, unit)));
}

/**
 * The structures of `unit` bytes in a stretch that can have been split: all their leaves that are
 * there are smaller, and there is one. A group in which one leaf is still contiguous was not split
 * by the kernel.
 */
export function splitStructures(
  actual: ActualLeaves,
  stretch: Stretch,
  { unit, rank }: { unit: number; rank: number },
): Stretch[] {
  const { smaller, other } = actual.within(stretch, rank);
  const whole = touched(other, unit);
  return touched(smaller, unit).flatMap((structures) => subtract(structures, whole));
}
