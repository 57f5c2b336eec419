// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../linux/kernel-traits.ts';
import { type LeafKind, leafKind } from '../../linux/leaf-kind.ts';
import { roundInward, subtract } from '../../linux/physical-range.ts';
import type { PredictedRun, PredictedTable } from '../../model/types.ts';
import { endOf } from '../runs.ts';
import { type ActualLeaves, type Stretch, splitStructures, touched } from './places.ts';
import { rankOf, type SmallerLeaves, splitOnce, structureSize } from './structure.ts';

/**
 * `count` places at which the kernel must have split: the first at `va`, each other `step` bytes
 * after the one before. Each is the first border inside a structure of `step` bytes that is broken,
 * while nothing within it is; at which of its inner borders it was is not known.
 */
export interface SplitPoints {
  /** Virtual address of the first. */
  va: bigint;
  /** Virtual and physical address of the first structure. */
  structure: bigint;
  pa: number;
  step: number;
  count: number;
  /** What the structures were. */
  kind: LeafKind;
}

/** A predicted map with the splits that the actual one shows. */
export interface Refined {
  leaves: PredictedRun[];
  tables: PredictedTable[];
  points: SplitPoints[];
}

/** Makes predicted leaves smaller where the actual ones are, with the model's own split code. */
export class Refinement implements Refined {
  readonly leaves: PredictedRun[] = [];
  readonly tables: PredictedTable[] = [];
  readonly points: SplitPoints[] = [];
  readonly #traits: KernelTraits;
  readonly #base: bigint;
  readonly #actual: ActualLeaves;
  readonly #known = new Map<string, SmallerLeaves | undefined>();

  /** @param base start of the linear region, from which `actual` counts */
  constructor(traits: KernelTraits, base: bigint, actual: ActualLeaves) {
    this.#traits = traits;
    this.#base = base;
    this.#actual = actual;
  }

  /**
   * Adds what becomes of predicted leaves that follow each other and are equal.
   * @returns the stretches in which something was split
   */
  add(run: PredictedRun): Stretch[] {
    const stretch = {
      start: Number(run.va - this.#base),
      end: Number(endOf(run) - this.#base),
    };
    const smaller = run.alternatives.length === 0 ? this.#smaller(run) : undefined;
    const unit = structureSize(this.#traits.geometry, leafKind(run));
    const whole = roundInward(stretch, unit);
    const split =
      smaller === undefined || whole.start >= whole.end
        ? []
        : splitStructures(this.#actual, whole, { unit, rank: rankOf(run) });
    let at = stretch.start;
    for (const structures of split) {
      this.#keep(run, { start: at, end: structures.start });
      if (smaller !== undefined) this.#split(run, structures, smaller);
      at = structures.end;
    }
    this.#keep(run, { start: at, end: stretch.end });
    return split;
  }

  #smaller(run: PredictedRun): SmallerLeaves | undefined {
    const key = `${leafKind(run)} ${run.attributes} ${run.tableAttributes}`;
    if (!this.#known.has(key)) this.#known.set(key, splitOnce(this.#traits, run));
    return this.#known.get(key);
  }

  #keep(run: PredictedRun, stretch: Stretch): void {
    if (stretch.start < stretch.end) this.leaves.push(this.#part(run, stretch));
  }

  #part(run: PredictedRun, { start, end }: Stretch): PredictedRun {
    const va = this.#base + BigInt(start);
    return { ...run, va, pa: run.pa + Number(va - run.va), size: end - start };
  }

  #split(run: PredictedRun, structures: Stretch, smaller: SmallerLeaves): void {
    const { size, table, ...leaf } = smaller;
    const unit = structureSize(this.#traits.geometry, leafKind(run));
    if (table !== undefined) {
      for (let at = structures.start; at < structures.end; at += unit)
        this.tables.push({ ...table, va: this.#base + BigInt(at) });
    }
    const deeper = this.add({ ...this.#part(run, structures), ...leaf });
    // A split inside a part of a structure has split the structure as well.
    const needed = subtract(structures, touched(deeper, unit));
    for (const without of needed) {
      const { va: structure, pa } = this.#part(run, without);
      const count = (without.end - without.start) / unit;
      const va = structure + BigInt(size);
      this.points.push({ va, structure, pa, step: unit, count, kind: leafKind(run) });
    }
  }
}
