// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { dir } from 'tmp-promise';
import { Engine } from '../../../../harness/laboratory/farm/engine.ts';
import { readCaseLines } from '../../../../results/run-folder.ts';
import { end, ptdiff, recordedWorker } from './farm-setup.ts';

/** A real engine, and what of a farm a test may want. */
export interface Farm {
  folder: string;
  engine: Engine;
  url: string;
  out: string;
  /** `ptdiff run` over so many cases. */
  run(cases: number, env?: NodeJS.ProcessEnv): ReturnType<typeof ptdiff>;
  worker(label: string, env?: NodeJS.ProcessEnv): ReturnType<typeof recordedWorker>;
  /** Lines of cases.jsonl so far. */
  lines(): number;
}

/** All that it starts ends with the test. */
export async function farmOf(t: Test): Promise<Farm> {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-farm-', unsafeCleanup: true });
  t.teardown(cleanup);
  const engine = await Engine.start({ folder: join(path, 'engine') });
  t.teardown(() => engine.stop());
  const out = join(path, 'run');
  const farm: Farm = {
    folder: path,
    engine,
    url: engine.url,
    out,
    run: (cases, env) => {
      const scenarios = join(path, 'scenarios.json');
      const list = Array.from({ length: cases }, (_, seed) => ({
        name: `seed-${String(seed).padStart(5, '0')}`,
        machine: { cpu: 'max' },
        seed,
      }));
      writeFileSync(scenarios, JSON.stringify(list));
      const words = ['--kernel', 'debian:6.12', '--scenario', scenarios, '--out', out];
      const places = ['--store', join(path, 's.sqlite'), '--farm', farm.url];
      const run = ptdiff(['run', ...words, ...places], env);
      t.teardown(() => end(run));
      return run;
    },
    worker: (label, env) => {
      const worker = recordedWorker(farm.url, label, env);
      t.teardown(() => end(worker));
      return worker;
    },
    lines: () => {
      const file = join(out, 'cases.jsonl');
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
    },
  };
  return farm;
}

/** Each case has a result, written once. */
export function whole(t: Test, { out, lines }: Farm, cases: number): void {
  const results = readCaseLines(out);
  t.equal(results.length, cases, 'nothing is lost');
  t.equal(lines(), cases, 'and nothing counts twice');
  t.same(new Set(results.map(({ verdict }) => verdict)), new Set(['pass']));
}
