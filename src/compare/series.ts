// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { Difference, PairComparison } from './types.ts';

/** One commit of a series and what is known of its kernel. */
export interface SeriesRow {
  /** The commit, whole. */
  id: string;
  subject: string;
  kernel:
    | {
        state: 'booted';
        sha256: string /** Against the base of the series. */;
        pairs: PairComparison[];
      }
    /**
     * The same Image, byte by byte, as that of an earlier commit: whatever that one shows, this one
     * shows.
     */
    | { state: 'same'; sha256: string; as: number }
    /** It does not build, or could not be booted. */
    | { state: 'unavailable'; reason: string };
}

/** A commit with which a difference from the base comes or goes. */
export interface SeriesEvent {
  kind: 'appears' | 'vanishes';
  /** Index of the commit; the first one that is known to be so. */
  at: number;
  /**
   * Index of the last commit that is known to be otherwise: right before `at`, unless commits
   * between could not be tried.
   */
  after: number;
}

/** One difference from the base over the series. */
export interface SeriesDifference {
  difference: Difference;
  /** Names of the pairs that show it, at any commit. */
  names: string[];
  events: SeriesEvent[];
}

/**
 * What a commit shows: differences by pair, and which pairs were compared; all of them where it is
 * the base.
 */
interface Shown {
  pairs: readonly PairComparison[];
  compared(name: string): boolean;
  /**
   * Whether a pair was seen to its end: a boot that died says nothing of what would have come
   * later.
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
 * Where each difference from the base (row 0) appears and vanishes. A commit that could not be
 * tried is skipped: an event after one names both ends of what is not known. A pair that could not
 * be compared at a commit, or whose boot died there, ends no difference.
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
 * How many differences a commit changed, and in which pairs, against the last commit before it that
 * could be tried.
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
