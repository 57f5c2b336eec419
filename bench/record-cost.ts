// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import { quotients, type Ratio } from './ratio.ts';

/** CPU seconds of a recorded case, compared with the same case without, alternately. */
export async function benchRecordCost(plain: BenchLaboratory, rounds: number): Promise<Ratio> {
  const laboratory = await prepareLaboratory([plain.scenario], undefined, true);
  const recorded = { ...plain, laboratory };
  const seconds = { plain: [] as number[], recorded: [] as number[] };
  await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const take = async (how: 'plain' | 'recorded', bench: BenchLaboratory, round: number) => {
        const { own, children } = await cpuSecondsOf(() =>
          wholeCase(bench, directory, `${how}-${round}`),
        );
        seconds[how].push(own + children);
      };
      for (let round = 0; round < rounds; round++) {
        await take('plain', plain, round);
        await take('recorded', recorded, round);
      }
    },
    { unsafeCleanup: true },
  );
  return {
    what: `${plain.scenario.name}, recorded / not recorded, CPU seconds of a case`,
    values: quotients(seconds.recorded, seconds.plain),
    target: { at: 'most', value: 1.16 },
  };
}
