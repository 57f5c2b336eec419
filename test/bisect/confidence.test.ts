// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { bootsNeeded, missProbability } from '../../src/bisect/confidence.ts';

t.test('the rule of succession, by hand', async (t) => {
  t.equal(missProbability({ shown: 0, boots: 0 }, 1), 1 / 2, 'nothing is known');
  t.ok(Math.abs(missProbability({ shown: 2, boots: 2 }, 3) - 1 / 20) < 1e-12, '1/4 · 2/5 · 3/6');
  t.equal(missProbability({ shown: 3, boots: 10 }, 0), 1, 'no boot tells nothing');
});

/** E[(1 - p)^m] for p of density ∝ p^s (1 - p)^(n - s), by the sum over a fine grid. */
function byIntegration(
  { shown, boots }: { shown: number; boots: number },
  repeated: number,
): number {
  let weight = 0;
  let sum = 0;
  for (let i = 0.5; i < 20_000; i++) {
    const p = i / 20_000;
    const density = p ** shown * (1 - p) ** (boots - shown);
    weight += density;
    sum += density * (1 - p) ** repeated;
  }
  return sum / weight;
}

t.test(
  'is the expectation over all rates, more boots never make it worse, and the number asked for is enough',
  async (t) => {
    t.ok(
      missProbability({ shown: 12, boots: 12 }, 3) < missProbability({ shown: 6, boots: 12 }, 3),
    );
    const rates = fc
      .tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }))
      .map(([shown, hidden]) => ({ shown, boots: shown + hidden }));
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 30 }), (rate, boots) => {
        const exact = missProbability(rate, boots);
        const needed = bootsNeeded(rate, 0.05, 1000);
        return (
          Math.abs(exact - byIntegration(rate, boots)) < 1e-3 &&
          missProbability(rate, boots + 1) < exact &&
          (needed === 1000 || missProbability(rate, needed) <= 0.05) &&
          (needed === 1 || missProbability(rate, needed - 1) > 0.05)
        );
      }),
      { numRuns: 60 },
    );
  },
);
