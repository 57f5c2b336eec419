// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';

/** A finding that no known issue explains, and the smallest machine that shows it. */
export interface ExploredDifference {
  finding: string;
  kernel: string;
  /** Name of the scenario that showed it first. */
  machine: string;
  /** Whether a second boot showed it again; absent where there was none. */
  again?: boolean | undefined;
  /** Path of the file of the smallest scenario. */
  file?: string;
}

/** What an exploration came to. */
export interface ExplorationSummary {
  seed: number;
  kernels: readonly string[];
  cases: readonly Pick<CaseResult, 'case' | 'verdict' | 'reason'>[];
  differences: readonly ExploredDifference[];
  /** Of the pairs of choices that can come together, the part that was seen, 0 to 1. */
  seen: number;
  /** Pairs of choices that were seen. */
  pairs: number;
  folder: string;
}

/** What a night's random machines came to. */
export interface ExploredNight {
  machines: number;
  /** Differences whose finding no watched kernel has shown before, and that a second boot shows. */
  fresh: ExploredDifference[];
  /** Ids of findings that are as new, and that no second boot showed. */
  flaky: string[];
  /** Ids of the findings of the others. */
  still: string[];
  pairs: number;
  seen: number;
  folder: string;
}

/**
 * An exploration as a part of a night.
 * @param shownBefore whether a watched kernel has shown a finding before tonight
 */
export function exploredNight(
  { cases, differences, pairs, seen, folder }: ExplorationSummary,
  shownBefore: (finding: string) => boolean,
): ExploredNight {
  const {
    fresh = [],
    flaky = [],
    still = [],
  } = Object.groupBy(differences, ({ finding, again }) => {
    if (shownBefore(finding)) return 'still';
    return again === false ? 'flaky' : 'fresh';
  });
  return {
    machines: cases.length,
    fresh,
    flaky: flaky.map(({ finding }) => finding),
    still: still.map(({ finding }) => finding),
    pairs,
    seen,
    folder,
  };
}
