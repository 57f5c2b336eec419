// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { withDir } from 'tmp-promise';
import { farmAddress } from '../harness/laboratory/farm/address.ts';
import { Engine } from '../harness/laboratory/farm/engine.ts';
import { farmWorkplace } from '../harness/laboratory/farm/farm-workplace.ts';
import { ownIdentity } from '../harness/laboratory/farm/identity.ts';
import { workForFarm } from '../harness/laboratory/farm/worker.ts';
import { runCase } from '../harness/laboratory/run-case.ts';
import { packReturned } from '../results/returned-case.ts';
import { RunDirectory } from '../results/run-directory.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { present } from '../src/present.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import type { Ratio } from './ratio.ts';

const never = new AbortController().signal;
/** Trips of one round; the first of all compiles the code and is not counted. */
const trips = 10;

async function engineSeconds(client: Redis): Promise<number> {
  const info = await client.info('cpu');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
  return field('used_cpu_user') + field('used_cpu_sys');
}

/**
 * What the way over a farm adds to a case: a real engine, a real worker, and a run that takes the
 * case in; only the boot is left out, since the worker sends the case that was booted before. All
 * but the engine runs in this process, whose CPU time is that of run and worker together.
 */
export async function benchFarmCost(bench: BenchLaboratory, rounds: number): Promise<Ratio[]> {
  const { laboratory, kernel, scenario } = bench;
  const { version, sha256 } = laboratory.emulator;
  const name = 'case';
  const times: number[] = [];
  const shares: number[] = [];
  await withDir(
    async ({ path }) => {
      const booted = new RunDirectory(join(path, 'booted')).caseDirectory(name);
      let result: CaseResult | undefined;
      const whole = await cpuSecondsOf(async () => {
        result = await runCase(laboratory, { name, kernel, scenario, directory: booted }, never);
      });
      const engine = await Engine.start({ folder: join(path, 'engine') });
      const address = farmAddress(engine.url);
      const client = new Redis(engine.url);
      const stop = new AbortController();
      const working = workForFarm({
        address,
        jobs: 1,
        label: 'bench',
        version: { ...ownIdentity(), emulator: { version, sha256 } },
        tasks: { runCase: () => packReturned(booted, present(result, 'booted case')) },
        signal: stop.signal,
      });
      const directory = new RunDirectory(join(path, 'run'));
      const place = await farmWorkplace({ address, laboratory, directory, started: 'now' });
      const trip = () => place.run({ name, kernel, scenario, depth: 'full' }, never);
      try {
        await trip();
        for (let round = 0; round < rounds; round++) {
          const before = await engineSeconds(client);
          const start = performance.now();
          const own = await cpuSecondsOf(async () => {
            for (let each = 0; each < trips; each++) await trip();
          });
          times.push((performance.now() - start) / trips);
          const cpu = (own.own + (await engineSeconds(client)) - before) / trips;
          shares.push(cpu / (whole.own + whole.children));
        }
      } finally {
        await place.close();
        stop.abort();
        await working;
        client.disconnect();
        await engine.stop();
      }
    },
    { unsafeCleanup: true },
  );
  return [
    {
      what: `milliseconds that a farm adds to a case, ${scenario.name}`,
      values: times,
      target: { at: 'most', value: 50 },
    },
    {
      what: `CPU time of the way over a farm / of the case, ${scenario.name}`,
      values: shares,
      target: { at: 'most', value: 0.02 },
    },
  ];
}
