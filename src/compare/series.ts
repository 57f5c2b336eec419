// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { Difference, PairComparison } from './types.ts';

/** One commit of a series and what is known about its kernel. */
export interface SeriesRow {
  /** The complete commit id. */
  id: string;
  subject: string;
  kernel:
    | {
        state: 'booted';
        sha256: string /** Against the base of the series. */;
        pairs: PairComparison[];
      }
    /**
     * The Image is byte for byte that of an earlier commit, so the results of that commit apply.
     */
    | { state: 'same'; sha256: string; as: number }
    /** It does not build, or could not be booted. */
    | { state: 'unavailable'; reason: string };
}

/** A commit at which a difference from the base appears or disappears. */
export interface SeriesEvent {
  kind: 'appears' | 'vanishes';
  /** Index of the commit: the first one that is known to have the new state. */
  at: number;
  /**
   * Index of the last commit that is known to have the old state: directly before `at`, unless
   * commits between them could not be tried.
   */
  after: number;
}

/** One difference from the base across the series. */
export interface SeriesDifference {
  difference: Difference;
  /** Names of the pairs that show it at any commit. */
  names: string[];
  events: SeriesEvent[];
}

/**
 * What a commit shows: differences by pair, and which pairs were compared; for the base, all of
 * them.
 */
interface Shown {
  pairs: readonly PairComparison[];
  compared(name: string): boolean;
  /**
   * Whether both boots of a pair completed: a boot that died says nothing about what would have
   * come later.
   */
  whole(name: string): boolean;
}

function shownAt(rows: readonly SeriesRow[], index: number): Shown | undefined {
  const { kernel } = present(rows[index], 'row of a series');
  if (index === 0) return { pairs: [], compared: () => true, whole: () => true };
  if (kernel.state === 'same') return shownAt(rows, kernel.as);
  if (kernel.state === 'unavailable') return undefined;
  const names = new Set(kernel.pairs.map(({ name }) => name));
  const cut = new Set(kernel.pairs.filter(({ completed }) => !completed.b).map(({ name }) => name));
  return {
    pairs: kernel.pairs,
    compared: (name) => names.has(name),
    whole: (name) => names.has(name) && !cut.has(name),
  };
}

/** Differences of pairs by their keys. */
function byKey(
  pairs: readonly PairComparison[],
): Map<string, { difference: Difference; names: string[] }> {
  const shown = new Map<string, { difference: Difference; names: string[] }>();
  for (const { name, differences } of pairs) {
    for (const difference of differences) {
      const entry = shown.get(difference.key) ?? { difference, names: [] };
      entry.names.push(name);
      shown.set(difference.key, entry);
    }
  }
  return shown;
}

/**
 * Where each difference from the base (row 0) appears and disappears. A commit that could not be
 * tried is skipped, and an event after it names both ends of the unknown range. A difference does
 * not end at a commit where the pair could not be compared or its boot died.
 */
export function seriesDifferences(rows: readonly SeriesRow[]): SeriesDifference[] {
  const found = new Map<string, SeriesDifference & { there: boolean; known: number }>();
  let last = 0;
  for (let index = 1; index < rows.length; index++) {
    const now = shownAt(rows, index);
    if (!now) continue;
    const shown = byKey(now.pairs);
    for (const [key, { difference, names }] of shown) {
      const entry = found.get(key) ?? {
        difference,
        names: [],
        events: [],
        there: false,
        known: last,
      };
      found.set(key, entry);
      entry.names = [...new Set([...entry.names, ...names])];
      if (!entry.there) entry.events.push({ kind: 'appears', at: index, after: entry.known });
      entry.there = true;
    }
    for (const [key, entry] of found) {
      if (!shown.has(key) && !entry.names.some((name) => now.whole(name))) continue;
      if (entry.there && !shown.has(key)) {
        entry.events.push({ kind: 'vanishes', at: index, after: entry.known });
        entry.there = false;
      }
      entry.known = index;
    }
    last = index;
  }
  return [...found.values()].map(({ difference, names, events }) => ({
    difference,
    names,
    events,
  }));
}

/**
 * How many differences a commit changed, and in which pairs, compared with the last commit before
 * it that could be tried.
 */
export function changedSince(
  rows: readonly SeriesRow[],
  index: number,
): { differences: number; names: string[] } | undefined {
  const now = index === 0 ? undefined : shownAt(rows, index);
  if (!now) return undefined;
  const then = rows
    .slice(0, index)
    .map((_, before) => shownAt(rows, before))
    .findLast((shown) => shown !== undefined);
  if (!then) return undefined;
  const entries = ({ pairs }: Shown) =>
    new Set(
      pairs.flatMap(({ name, differences }) =>
        differences.map(({ key }) => JSON.stringify([key, name])),
      ),
    );
  const changed = [...entries(then).symmetricDifference(entries(now))]
    .map((text) => JSON.parse(text) as [key: string, name: string])
    .filter(([, name]) => then.compared(name) && now.compared(name));
  return {
    differences: new Set(changed.map(([key]) => key)).size,
    names: [...new Set(changed.map(([, name]) => name))],
  };
}
