// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { type Candidate, thin } from '../../src/scenario/pairwise.ts';
import { given } from '../given.ts';

/** All pairs of factor values that occur in candidates. */
function pairs(candidates: readonly Candidate[]): Set<string> {
  const found = new Set<string>();
  for (const candidate of candidates) {
    for (let a = 0; a < candidate.length; a++) {
      for (let b = a + 1; b < candidate.length; b++)
        found.add(`${a}=${candidate[a]} ${b}=${candidate[b]}`);
    }
  }
  return found;
}

const matrix = fc
  .tuple(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([a, b, c]) => {
    const values = (count: number): string[] => Array.from({ length: count }, (_, i) => `v${i}`);
    return values(a).flatMap((x) =>
      values(b).flatMap((y) => values(c).map((z): Candidate => [x, y, z])),
    );
  });

t.test('every pair is covered, whatever the limit', async (t) => {
  fc.assert(
    fc.property(matrix, fc.integer({ min: 0, max: 60 }), (candidates, limit) => {
      const chosen = thin(candidates, limit).map((index) => given(candidates[index]));
      return pairs(candidates).isSubsetOf(pairs(chosen));
    }),
  );
  t.pass('covered');
});

t.test('thinning is deterministic, ascending and without repetition', async (t) => {
  fc.assert(
    fc.property(matrix, fc.integer({ min: 0, max: 60 }), (candidates, limit) => {
      const once = thin(candidates, limit);
      return (
        String(once) === String(thin(candidates, limit)) &&
        once.every((index, i) => i === 0 || index > given(once[i - 1]))
      );
    }),
  );
  t.pass('deterministic');
});

t.test(
  'a generous limit covers every triple, and so the whole of a matrix of three factors',
  async (t) => {
    const candidates: Candidate[] = ['a', 'b'].flatMap((x) =>
      ['c', 'd'].flatMap((y) => ['e', 'f'].map((z) => [x, y, z])),
    );
    t.equal(thin(candidates, 100).length, candidates.length);
    t.ok(thin(candidates, 0).length < candidates.length, 'pairs alone take fewer');
  },
);
