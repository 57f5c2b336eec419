// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import { readRecording } from '../results/recording-file.ts';
import { RunDirectory } from '../results/run-directory.ts';
import { checkUpdates } from '../src/bbm/check-updates.ts';
import { present } from '../src/present.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { wholeCase } from './case-cost.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import { benchPairCost } from './pair-cost.ts';
import type { Ratio } from './ratio.ts';

/**
 * A recorded case, compared with the same case without a recording, on the CPUs of the scenario and
 * on two; and the check of the recording by the architecture's rules, compared with the case.
 */
export async function benchRecordCost(bench: BenchLaboratory, rounds: number): Promise<Ratio[]> {
  const prepared = await prepareLaboratory([bench.scenario], undefined);
  const recording = { ...prepared, exercises: false as const };
  const ratios: Ratio[] = [];
  for (const cpus of new Set([bench.scenario.machine.cpus, 2])) {
    const machine = { ...bench.scenario.machine, cpus };
    const plain = { ...bench, scenario: { ...bench.scenario, machine } };
    const recorded = { ...plain, laboratory: recording };
    const name = `${bench.scenario.name}, ${cpus} CPUs`;
    const what = `${name}, recorded / not recorded`;
    ratios.push(await benchPairCost(recorded, plain, rounds, { what, target: 1.16 }));
    ratios.push(await benchCheck(recorded, rounds, name));
  }
  return ratios;
}

/** What it takes to judge a recording, and how large that is. */
async function benchCheck(bench: BenchLaboratory, rounds: number, name: string): Promise<Ratio> {
  return withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const whole = await cpuSecondsOf(() => wholeCase(bench, directory, 'recorded'));
      const folder = directory.caseDirectory('recorded');
      const values: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const checking = await cpuSecondsOf(async () => {
          checkUpdates(present(readRecording(folder), 'recording'), [0]);
        });
        values.push(checking.own / (whole.own + whole.children));
      }
      const raw = present(readRecording(folder), 'recording').events.length;
      const kept = statSync(join(folder, 'recording.zst')).size;
      console.log(`  ${name}: ${raw} bytes of events, recording.zst ${kept} bytes`);
      const what = `${name}, checking a recording / the recorded case, CPU seconds`;
      return { what, values, target: { at: 'most', value: 0.15 } };
    },
    { unsafeCleanup: true },
  );
}
