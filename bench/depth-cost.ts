// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import { planMatrix } from '../harness/laboratory/plan-matrix.ts';
import { RunDirectory } from '../results/run-directory.ts';
import { type Depth, depthOf, depths } from '../src/scenario/depth.ts';
import { vary } from '../src/scenario/variation.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import type { Ratio } from './ratio.ts';

/** What is measured of a plan: its target, and how many cases of each depth; all when absent. */
export interface DepthBench {
  /** As `run --scenario` takes them; none is the default matrix. */
  scenarios: string[];
  target: number;
  seed: number;
  sample?: number;
}

type PlannedBench = BenchLaboratory & { depth: Depth };

/** Numbers in [0, 1) by a seed (mulberry32). */
function* draws(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    yield ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** Some of a list, by a seed; all where there are no more. */
function drawn<T>(list: readonly T[], count: number, seed: number): T[] {
  const left = [...list];
  const numbers = draws(seed);
  return Array.from({ length: Math.min(count, list.length) }, () =>
    left.splice(Math.floor(numbers.next().value * left.length), 1),
  ).flat();
}

/** The cases that `run` would boot, and how far. */
async function plannedBenches(scenarios: string[], scratch: string): Promise<PlannedBench[]> {
  const out = join(scratch, 'plan');
  const { kernels, plan } = await planMatrix(
    { kernels: [], scenarios, jobs: 1, depth: 'planned', out },
    new AbortController().signal,
  );
  const laboratory = await prepareLaboratory(plan.scenarios, undefined);
  return plan.planned.flatMap((planned) => {
    const kernel = kernels.find(({ image }) => image.spec === planned.kernel);
    const scenario = plan.scenarios.find(({ name }) => name === planned.scenario);
    return kernel && scenario ? [{ laboratory, kernel, scenario, depth: depthOf(planned) }] : [];
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/**
 * CPU seconds of all cases as a run plans them, early or in full, compared with the same cases
 * booted in full and plainly (see src/scenario/lean.ts), alternately. Of a sample the mean of each
 * depth stands for all cases of that depth.
 */
export async function benchDepthCost(bench: DepthBench): Promise<Ratio> {
  const { scenarios, target, seed, sample = Number.POSITIVE_INFINITY } = bench;
  return withDir(
    async ({ path }) => {
      const directory = new RunDirectory(join(path, 'run'));
      const all = await plannedBenches(scenarios, path);
      const total = { planned: 0, plain: 0 };
      let measured = 0;
      for (const depth of depths) {
        const own = all.filter((each) => each.depth === depth);
        const costs = { planned: [] as number[], plain: [] as number[] };
        for (const [index, each] of drawn(own, sample, seed).entries()) {
          const plainly = vary(each.scenario, { plain: true });
          const plain = { ...each, scenario: plainly, depth: 'full' as const };
          const kinds = { planned: each, plain };
          const turns = (['planned', 'plain'] as const).map((kind) => async () => {
            const cost = await cpuSecondsOf(() =>
              wholeCase(kinds[kind], directory, `${kind}-${depth}-${index}`),
            );
            costs[kind].push(cost.own + cost.children);
          });
          // The two take turns at being first.
          for (const turn of index % 2 === 0 ? turns : turns.reverse()) await turn();
          measured++;
        }
        const [planned, plain] = [mean(costs.planned), mean(costs.plain)];
        total.planned += own.length * planned;
        total.plain += own.length * plain;
        console.log(
          `  ${depth}: ${own.length} cases, ${costs.plain.length} measured: ${planned.toFixed(2)} CPU seconds a case, in full and plain ${plain.toFixed(2)}`,
        );
      }
      const which = scenarios.length > 0 ? `--scenario ${scenarios.join(' ')}` : 'default matrix';
      const part =
        measured < all.length
          ? `a sample of ${measured} of ${all.length} cases, seed ${seed}`
          : 'all cases';
      return {
        what: `${which} as planned / in full and plain, CPU seconds, ${part}`,
        values: [total.planned / total.plain],
        target: { at: 'most', value: target },
      };
    },
    { unsafeCleanup: true },
  );
}
