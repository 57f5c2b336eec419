// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import { quotients, type Ratio } from './ratio.ts';

/** CPU seconds of one case compared with those of another, alternately. */
export async function benchPairCost(
  dear: BenchLaboratory,
  plain: BenchLaboratory,
  rounds: number,
  { what, target }: { what: string; target: number },
): Promise<Ratio> {
  const seconds = { dear: [] as number[], plain: [] as number[] };
  await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const take = async (which: 'dear' | 'plain', bench: BenchLaboratory, round: number) => {
        const { own, children } = await cpuSecondsOf(() =>
          wholeCase(bench, directory, `${which}-${round}`),
        );
        seconds[which].push(own + children);
      };
      for (let round = 0; round < rounds; round++) {
        await take('plain', plain, round);
        await take('dear', dear, round);
      }
    },
    { unsafeCleanup: true },
  );
  return {
    what: `${what}, CPU seconds of a case`,
    values: quotients(seconds.dear, seconds.plain),
    target: { at: 'most', value: target },
  };
}
