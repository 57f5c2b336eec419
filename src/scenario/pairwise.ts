// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
/** One candidate case: a value for each factor. */
export type Candidate = readonly string[];

/** All combinations of `strength` factors of a candidate, each as a key. */
function combinations(candidate: Candidate, strength: number): string[] {
  const keys: string[] = [];
  const choose = (from: number, chosen: string[]): void => {
    if (chosen.length === strength) {
      keys.push(chosen.join('|'));
      return;
    }
    for (let factor = from; factor < candidate.length; factor++) {
      choose(factor + 1, [...chosen, `${factor}=${candidate[factor]}`]);
    }
  };
  choose(0, []);
  return keys;
}

/**
 * Picks candidates, the best first, until every combination of `strength` factors is covered or
 * `limit` is reached.
 */
function cover(
  candidates: Candidate[],
  picked: Set<number>,
  strength: number,
  limit: number,
): void {
  const all = candidates.map((candidate, index) => ({
    index,
    keys: combinations(candidate, strength),
  }));
  const open = new Set(all.flatMap(({ keys }) => keys));
  for (const { index, keys } of all)
    if (picked.has(index)) for (const key of keys) open.delete(key);
  while (open.size > 0 && picked.size < limit) {
    let best: (typeof all)[number] | undefined;
    let bestGain = 0;
    for (const each of all) {
      const gain = picked.has(each.index) ? 0 : each.keys.filter((key) => open.has(key)).length;
      if (gain > bestGain) [best, bestGain] = [each, gain];
    }
    // Each open combination belongs to a candidate that has not been picked yet.
    const { index, keys } = present(best, 'candidate with a combination that is open');
    picked.add(index);
    for (const key of keys) open.delete(key);
  }
}

/**
 * Thins a matrix: all pairs of factor values are always covered (Kuhn, Kacker, Lei, NIST SP
 * 800-142), then triples as far as `limit` allows. Deterministic: the same candidates give the same
 * result.
 * @param candidates the full matrix, each case as its factor values
 * @param limit number of cases at which to stop once all pairs are covered
 * @returns indices of the chosen candidates, ascending
 */
export function thin(candidates: Candidate[], limit: number): number[] {
  const picked = new Set<number>();
  cover(candidates, picked, 2, Number.POSITIVE_INFINITY);
  cover(candidates, picked, 3, limit);
  return [...picked].sort((a, b) => a - b);
}
