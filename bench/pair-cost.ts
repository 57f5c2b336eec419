// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { type CpuSeconds, cpuSecondsOf } from './cpu-seconds.ts';
import { quotients, type Ratio, spread } from './ratio.ts';

/** CPU seconds of one case compared with those of another, alternately. */
export async function benchPairCost(
  dear: BenchLaboratory,
  plain: BenchLaboratory,
  rounds: number,
  { what, target }: { what: string; target: number },
): Promise<Ratio> {
  const costs = { dear: [] as CpuSeconds[], plain: [] as CpuSeconds[] };
  await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const take = async (which: 'dear' | 'plain', bench: BenchLaboratory, round: number) => {
        const name = `${which}-${round}`;
        costs[which].push(await cpuSecondsOf(() => wholeCase(bench, directory, name)));
      };
      for (let round = 0; round < rounds; round++) {
        const turns = [() => take('plain', plain, round), () => take('dear', dear, round)];
        // The two take turns at being first.
        for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
      }
    },
    { unsafeCleanup: true },
  );
  const part = (list: CpuSeconds[], name: keyof CpuSeconds) =>
    spread(
      list.map((cost) => cost[name]),
      2,
    );
  const parts = (list: CpuSeconds[]) =>
    `QEMU ${part(list, 'children')}, ptdiff ${part(list, 'own')}`;
  console.log(`${what}: ${parts(costs.dear)} / ${parts(costs.plain)}`);
  const sums = (list: CpuSeconds[]) => list.map(({ own, children }) => own + children);
  return {
    what: `${what}, CPU seconds of a case`,
    values: quotients(sums(costs.dear), sums(costs.plain)),
    target: { at: 'most', value: target },
  };
}
