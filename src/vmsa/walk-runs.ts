// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import { partitionPoint } from '../partition-point.ts';
import type { Descriptor } from './descriptor.ts';
import { split } from './descriptor-layout.ts';
import type { Table } from './open-run.ts';
import type { Stage1Regime } from './regime.ts';
import type { Level, WalkResult } from './types.ts';
import { type RamReader, walk } from './walk.ts';

/**
 * Entries of one lookup level that follow each other in virtual address, from one table to the
 * next: entry i translates `va` + i * the bytes of an entry, and has the value `descriptor` +
 * i * `stride` modulo 2^64. Entries that no run covers are 0.
 */
export interface DescriptorRun {
  level: Level;
  va: bigint;
  count: number;
  descriptor: bigint;
  stride: bigint;
}

/** Eight terabytes in pages of 4K. */
const mostTables = 2 ** 22;

/**
 * What walk() finds in tables whose contents are known as runs of descriptors. Takes time in the
 * number of runs and of tables: no table is spelt out that only continues the one before it.
 * @param runs by level, then by virtual address, as an archive of `collect` has them
 * @throws PtdiffError(usage) for runs that lie outside the half of the regime, or overlap
 */
export function walkRuns(regime: Stage1Regime, runs: readonly DescriptorRun[]): WalkResult {
  return walk(regime, new RunReader(regime, runs), { tables: mostTables });
}

/** Runs of one level, with their places as numbers: a bigint is too slow for a search. */
interface LevelRuns {
  /** Bytes of an entry. */
  size: number;
  /** First byte of each run from the base of the half, ascending. */
  starts: number[];
  runs: DescriptorRun[];
  /** Behind the last run, from the base of the half. */
  end: number;
}

/** Serves the tables of a walk from runs. What a table holds follows from what it translates. */
class RunReader implements RamReader {
  readonly size = Number.MAX_SAFE_INTEGER;
  readonly #levels: ReadonlyMap<Level, LevelRuns>;
  #words = new Uint32Array(0);

  constructor(regime: Stage1Regime, runs: readonly DescriptorRun[]) {
    this.#levels = byLevel(regime, runs);
  }

  consecutive({ level, offset, entries }: Readonly<Table>): Descriptor | undefined {
    const here = this.#levels.get(level);
    const at = here && indexAt(here.starts, offset);
    if (here === undefined || at === undefined || at < 0) return undefined;
    const { size } = here;
    const run = here.runs[at] as DescriptorRun;
    const before = (offset - (here.starts[at] as number)) / size;
    if (before + entries > run.count || run.stride !== BigInt(size)) return undefined;
    return split(valueAt(run, before));
  }

  table(_pa: number, bytes: number, { level, offset, entries }: Readonly<Table>): Uint32Array {
    if (this.#words.length !== bytes / 4) this.#words = new Uint32Array(bytes / 4);
    else this.#words.fill(0);
    const here = this.#levels.get(level);
    if (here === undefined) return this.#words;
    const { size, starts } = here;
    const end = offset + entries * size;
    let at = Math.max(0, indexAt(starts, offset));
    for (; at < starts.length && (starts[at] as number) < end; at++) {
      const run = here.runs[at] as DescriptorRun;
      const start = starts[at] as number;
      const skipped = Math.max(0, (offset - start) / size);
      const first = Math.max(0, (start - offset) / size);
      const count = Math.min(run.count - skipped, entries - first);
      spell(this.#words, first, count, valueAt(run, skipped), run.stride);
    }
    return this.#words;
  }
}

const valueAt = ({ descriptor, stride }: DescriptorRun, index: number): bigint =>
  BigInt.asUintN(64, descriptor + stride * BigInt(index));

/** Writes `count` descriptors, if any, from entry `first` on: an addition of two words for each. */
function spell(
  words: Uint32Array,
  first: number,
  count: number,
  descriptor: bigint,
  stride: bigint,
): void {
  let { low, high } = split(descriptor);
  const step = split(BigInt.asUintN(64, stride));
  for (let at = 2 * first; at < 2 * (first + count); at += 2) {
    words[at] = low;
    words[at + 1] = high;
    const sum = low + step.low;
    low = sum >>> 0;
    high = (high + step.high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
  }
}

/** Index of the last start that is not above an offset; -1 where there is none. */
const indexAt = (starts: readonly number[], offset: number): number =>
  partitionPoint(starts, (start) => start <= offset) - 1;

function byLevel(regime: Stage1Regime, runs: readonly DescriptorRun[]): Map<Level, LevelRuns> {
  const levels = new Map<Level, LevelRuns>();
  const { base, startLevel, inputBits, granule } = regime;
  const pageShift = Math.log2(granule);
  for (const run of runs) {
    const size = 2 ** (pageShift + (pageShift - 3) * (3 - run.level));
    const start = Number(run.va - base);
    const isInside =
      run.level >= startLevel &&
      run.va >= base &&
      start % size === 0 &&
      start + run.count * size <= 2 ** inputBits;
    if (!isInside)
      throw misplaced(run, 'lies outside the kernel half or between two entries of it');
    const here = levels.get(run.level) ?? { size, starts: [], runs: [], end: 0 };
    if (start < here.end) throw misplaced(run, 'overlaps the one before it, or is out of order');
    here.end = start + run.count * size;
    here.starts.push(start);
    here.runs.push(run);
    levels.set(run.level, here);
  }
  return levels;
}

function misplaced({ level, va, count }: DescriptorRun, how: string): PtdiffError {
  return new PtdiffError(
    'usage',
    `The run of ${count} descriptors of level ${level} from 0x${va.toString(16)} on ${how}: the archive is damaged; collect it again.`,
  );
}
