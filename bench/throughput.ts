// SPDX-License-Identifier: GPL-2.0-only
import { withDir } from 'tmp-promise';
import { runCase } from '../harness/laboratory/run-case.ts';
import { runCases } from '../harness/laboratory/scheduler.ts';
import { RunDirectory } from '../results/run-directory.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { quotients, type Ratio, spread } from './ratio.ts';

/** Runs the same case several times, `jobs` at a time. @returns cases per minute of wall clock */
async function casesAMinute(
  { laboratory, ...what }: BenchLaboratory,
  jobs: number,
  cases: number,
): Promise<number> {
  return await withDir(
    async ({ path }) => {
      const directory = new RunDirectory(path);
      const names = Array.from({ length: cases }, (_, index) => `case-${index}`);
      const start = performance.now();
      const run = (name: string, signal: AbortSignal) =>
        runCase(laboratory, { ...what, name, directory: directory.caseDirectory(name) }, signal);
      for await (const outcome of runCases(names, run, {
        jobs,
        signal: new AbortController().signal,
      })) {
        if ('error' in outcome) throw outcome.error;
        directory.append(outcome.result);
      }
      return (cases * 60_000) / (performance.now() - start);
    },
    { unsafeCleanup: true },
  );
}

/**
 * Cases per minute with two jobs compared with one, alternately. On a host with one core, or a busy
 * one, the number means little.
 */
export async function benchThroughput(bench: BenchLaboratory, rounds: number): Promise<Ratio> {
  const cases = 4;
  const one: number[] = [];
  const two: number[] = [];
  // The first case makes the JIT compile the code.
  await casesAMinute(bench, 1, 1);
  for (let round = 0; round < rounds; round++) {
    const turns = [
      async () => one.push(await casesAMinute(bench, 1, cases)),
      async () => two.push(await casesAMinute(bench, 2, cases)),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) await turn();
  }
  console.log(
    `Cases a minute of ${bench.kernel.image.release}, scenario ${bench.scenario.name}, ${cases} cases a round:`,
  );
  console.log(`  1 job ${spread(one, 1)}, 2 jobs ${spread(two, 1)}`);
  return {
    what: `cases a minute, 2 jobs / 1 job, ${bench.scenario.name}`,
    values: quotients(two, one),
    target: { at: 'least', value: 1.9 },
  };
}
