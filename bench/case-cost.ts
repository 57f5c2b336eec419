// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { bareCommand } from '../harness/emulator/qemu-command.ts';
import { runCase } from '../harness/laboratory/run-case.ts';
import { RunDirectory } from '../results/run-directory.ts';
import { first } from '../src/present.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { type CpuSeconds, cpuSecondsOf } from './cpu-seconds.ts';
import { machineOf } from './machine.ts';
import { quotients, type Ratio, spread } from './ratio.ts';

/**
 * The machine of the case, booted by QEMU alone until the guest's init powers it off. Its console
 * output is discarded.
 */
async function bareBoot(bench: BenchLaboratory): Promise<void> {
  const command = bareCommand(machineOf(bench));
  await execa(first(command), command.slice(1), { stdio: 'ignore' });
}

/** Boots a case with everything that belongs to it. */
export async function wholeCase(
  bench: BenchLaboratory,
  directory: RunDirectory,
  name: string,
): Promise<void> {
  const { laboratory, kernel, scenario } = bench;
  const each = { name, kernel, scenario, directory: directory.caseDirectory(name) };
  const result = await runCase(laboratory, each, new AbortController().signal);
  if (result.verdict !== 'pass' && result.verdict !== 'known') {
    throw new Error(
      `The measured case ended ${result.verdict}: ${result.reason ?? result.findings[0]?.title}.`,
    );
  }
  directory.append(result);
}

/**
 * CPU seconds of complete cases (boot under the harness, captures, prediction, verdict, files)
 * compared with bare boots of the same machine, alternately. Both include every process that was
 * started for them; the harness also includes its own JavaScript.
 */
export async function benchCaseCost(bench: BenchLaboratory, rounds: number): Promise<Ratio> {
  const bare: CpuSeconds[] = [];
  const whole: CpuSeconds[] = [];
  await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      for (let round = 0; round < rounds; round++) {
        const turns = [
          async () => bare.push(await cpuSecondsOf(() => bareBoot(bench))),
          async () =>
            whole.push(await cpuSecondsOf(() => wholeCase(bench, directory, `case-${round}`))),
        ];
        // The two take turns at being first.
        for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
      }
    },
    { unsafeCleanup: true },
  );
  const seconds = (list: CpuSeconds[], part: keyof CpuSeconds) =>
    spread(
      list.map((cost) => cost[part]),
      2,
    );
  console.log(`CPU seconds of ${bench.kernel.image.release}, scenario ${bench.scenario.name}:`);
  console.log(`  bare boot, to the guest's power-off: QEMU ${seconds(bare, 'children')}`);
  console.log(
    `  whole case: QEMU ${seconds(whole, 'children')}, ptdiff ${seconds(whole, 'own')}, of it ${first(whole).own.toFixed(2)} in the first case`,
  );
  return {
    what: `whole case / bare boot, CPU seconds, ${bench.scenario.name}`,
    values: quotients(
      whole.map(({ own, children }) => own + children),
      bare.map(({ children }) => children),
    ),
    target: { at: 'most', value: 1.05 },
  };
}
