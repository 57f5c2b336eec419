// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { type CpuSeconds, cpuSecondsOf } from './cpu-seconds.ts';
import { quotients, type Ratio, spread } from './ratio.ts';

/** What one case and another cost, round by round. */
export interface PairCost {
  dear: CpuSeconds[];
  plain: CpuSeconds[];
}

/**
 * CPU seconds of one case and of another, alternately.
 * @param kept is given the folder of the last dear one
 */
export async function measurePair(
  dear: BenchLaboratory,
  plain: BenchLaboratory,
  rounds: number,
  kept: (folder: string) => void = () => {},
): Promise<PairCost> {
  const costs: PairCost = { dear: [], plain: [] };
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
      kept(directory.caseDirectory(`dear-${rounds - 1}`));
    },
    { unsafeCleanup: true },
  );
  return costs;
}

/** Of each round, what this process and the processes that it started took together. */
export const sums = (costs: readonly CpuSeconds[]): number[] =>
  costs.map(({ own, children }) => own + children);

/** The emulator and ptdiff itself, apart. */
export function pairText({ dear, plain }: PairCost): string {
  const part = (list: CpuSeconds[], name: keyof CpuSeconds) =>
    spread(
      list.map((cost) => cost[name]),
      2,
    );
  const parts = (list: CpuSeconds[]) =>
    `QEMU ${part(list, 'children')}, ptdiff ${part(list, 'own')}`;
  return `${parts(dear)} / ${parts(plain)}`;
}

/** CPU seconds of one case compared with those of another, alternately. */
export async function benchPairCost(
  dear: BenchLaboratory,
  plain: BenchLaboratory,
  rounds: number,
  { what, target }: { what: string; target: number },
): Promise<Ratio> {
  const costs = await measurePair(dear, plain, rounds);
  console.log(`${what}: ${pairText(costs)}`);
  return {
    what: `${what}, CPU seconds of a case`,
    values: quotients(sums(costs.dear), sums(costs.plain)),
    target: { at: 'most', value: target },
  };
}
