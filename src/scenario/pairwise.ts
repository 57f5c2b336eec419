/** One candidate case: the value of each factor. */
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

/** Picks candidates, best first, until every combination of `strength` factors is covered or `limit` is reached. */
function cover(candidates: Candidate[], picked: Set<number>, strength: number, limit: number): void {
  const keys = candidates.map((candidate) => combinations(candidate, strength));
  const open = new Set(keys.flat());
  for (const index of picked) for (const key of keys[index]) open.delete(key);
  while (open.size > 0 && picked.size < limit) {
    let best = -1;
    let bestGain = 0;
    for (let i = 0; i < candidates.length; i++) {
      const gain = picked.has(i) ? 0 : keys[i].filter((key) => open.has(key)).length;
      if (gain > bestGain) [best, bestGain] = [i, gain];
    }
    picked.add(best);
    for (const key of keys[best]) open.delete(key);
  }
}

/**
 * Thins a matrix: all pairs of factor values are always covered (Kuhn, Kacker, Lei, NIST SP 800-142), then triples as far as `limit` allows.
 * Deterministic: the same candidates give the same answer.
 * @param candidates the full matrix, each case as its factor values
 * @param limit number of cases to stop at once all pairs are covered
 * @returns indices of the chosen candidates, ascending
 */
export function thin(candidates: Candidate[], limit: number): number[] {
  const picked = new Set<number>();
  cover(candidates, picked, 2, Number.POSITIVE_INFINITY);
  cover(candidates, picked, 3, limit);
  return [...picked].sort((a, b) => a - b);
}
