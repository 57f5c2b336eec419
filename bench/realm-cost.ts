// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import { quotients, type Ratio } from './ratio.ts';

/**
 * CPU seconds of a case as a realm, compared with the same case in the normal world without the
 * monitor, alternately.
 */
export async function benchRealmCost(
  realm: BenchLaboratory,
  normal: BenchLaboratory,
  rounds: number,
): Promise<Ratio> {
  const seconds = { realm: [] as number[], normal: [] as number[] };
  await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const take = async (world: 'realm' | 'normal', bench: BenchLaboratory, round: number) => {
        const { own, children } = await cpuSecondsOf(() =>
          wholeCase(bench, directory, `${world}-${round}`),
        );
        seconds[world].push(own + children);
      };
      for (let round = 0; round < rounds; round++) {
        await take('normal', normal, round);
        await take('realm', realm, round);
      }
    },
    { unsafeCleanup: true },
  );
  return {
    what: `${realm.scenario.name} / ${normal.scenario.name}, CPU seconds of a case`,
    values: quotients(seconds.realm, seconds.normal),
    target: { at: 'most', value: 1.25 },
  };
}
