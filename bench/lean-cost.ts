// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { RunDirectory } from '../results/run-directory.ts';
import { vary } from '../src/scenario/variation.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import type { Ratio } from './ratio.ts';

/**
 * CPU seconds of a case as ptdiff boots it by default, compared with the same case booted plainly
 * (see src/scenario/lean.ts), alternately.
 * @param benches cases of the default matrix, each with its own laboratory; one round runs all of
 * them
 */
export async function benchLeanCost(
  benches: readonly BenchLaboratory[],
  rounds: number,
): Promise<Ratio> {
  const values = await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const ratios: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const seconds = { lean: 0, plain: 0 };
        for (const [index, bench] of benches.entries()) {
          const scenarios = { lean: bench.scenario, plain: vary(bench.scenario, { plain: true }) };
          const turns = (['lean', 'plain'] as const).map((kind) => async () => {
            const each = { ...bench, scenario: scenarios[kind] };
            const { own, children } = await cpuSecondsOf(() =>
              wholeCase(each, directory, `${kind}-${index}-${round}`),
            );
            seconds[kind] += own + children;
          });
          // The two take turns at being first.
          for (const turn of (round + index) % 2 === 0 ? turns : turns.reverse()) await turn();
        }
        ratios.push(seconds.lean / seconds.plain);
      }
      return ratios;
    },
    { unsafeCleanup: true },
  );
  const what = `default boot / plain boot, CPU seconds, ${benches.length} cases of the default matrix`;
  return { what, values, target: { at: 'most', value: 0.75 } };
}
