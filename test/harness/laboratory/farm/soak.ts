// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withDir } from 'tmp-promise';
import { Engine, forgetEngine } from '../../../../harness/laboratory/farm/engine.ts';
import { parseCaseLines } from '../../../../results/run-folder.ts';
import { numbersOf } from '../../../random.ts';
import { end, lease, Network, type Process, ptdiff, recordedWorker } from './farm-setup.ts';

/** What is done to a farm while it works. */
const faults = [
  'kill a worker',
  'stop a worker for two leases',
  'kill the engine',
  'kill the engine, and forget what it held',
  'cut the network',
  'kill the run',
  'a worker whose host fails',
] as const;
type Fault = (typeof faults)[number];

export interface SoakSetting {
  cases: number;
  /** Decides which faults happen, and in which order. */
  seed: number;
  /** Seconds from one fault to the next. */
  pause: number;
  /** Milliseconds that a recorded boot takes. */
  milliseconds: number;
  tell?(line: string): void;
}

/** What a soak found. */
export interface SoakResult {
  /** Cases without a verdict on their kernel at the end. */
  lost: string[];
  /** Cases with more than one. */
  twice: string[];
  /** Errors on the way, which going on with the run has mended. */
  errors: number;
  faults: Record<Fault, number>;
  seconds: number;
}

const workers = 3;

/** A farm of real processes and a real engine, with recorded boots, under faults. */
class Soak {
  readonly #folder: string;
  readonly #setting: SoakSetting;
  readonly #random: () => number;
  readonly #workers: Process[] = [];
  readonly #done = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<Fault, number>;
  #engine: Engine;
  readonly #network: Network;
  #run?: Process;
  #started = 0;

  static async start(folder: string, setting: SoakSetting): Promise<Soak> {
    const engine = await Engine.start({ folder: join(folder, 'engine') });
    const network = await Network.start(Number(new URL(engine.url).port));
    return new Soak(folder, setting, engine, network);
  }

  private constructor(folder: string, setting: SoakSetting, engine: Engine, network: Network) {
    this.#folder = folder;
    this.#setting = setting;
    this.#engine = engine;
    this.#network = network;
    this.#random = numbersOf(setting.seed);
    const list = Array.from({ length: setting.cases }, (_, seed) => ({
      name: `seed-${String(seed).padStart(5, '0')}`,
      machine: { cpu: 'max' },
      seed,
    }));
    writeFileSync(join(folder, 'scenarios.json'), JSON.stringify(list));
  }

  get #url(): string {
    const url = new URL(this.#engine.url);
    url.port = String(this.#network.port);
    return url.href;
  }

  #hire(env: NodeJS.ProcessEnv = {}): void {
    const label = `w${++this.#started}`;
    const usual = {
      RECORDED_JOBS: '4',
      RECORDED_MILLISECONDS: String(this.#setting.milliseconds),
    };
    this.#workers.push(recordedWorker(this.#url, label, { ...usual, ...env }));
  }

  #begin(): Process {
    const path = (name: string) => join(this.#folder, name);
    const words = ['--kernel', 'debian:6.12', '--scenario', path('scenarios.json')];
    const places = ['--out', path('run'), '--store', path('s.sqlite')];
    this.#run = ptdiff(['run', ...words, ...places, '--farm', this.#url]);
    return this.#run;
  }

  async #restartEngine(forget: boolean): Promise<void> {
    await this.#engine.kill();
    const folder = join(this.#folder, 'engine');
    if (forget) forgetEngine(folder);
    const port = Number(new URL(this.#engine.url).port);
    await sleep(500);
    this.#engine = await Engine.start({ folder, port });
  }

  async #replace(worker: Process | undefined, env?: NodeJS.ProcessEnv): Promise<void> {
    if (worker) {
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      await end(worker);
    }
    this.#hire(env);
  }

  async #do(fault: Fault): Promise<void> {
    const one = this.#workers[Math.floor(this.#random() * this.#workers.length)];
    this.#done[fault]++;
    if (fault === 'kill a worker') await this.#replace(one);
    if (fault === 'stop a worker for two leases') {
      one?.kill('SIGSTOP');
      await sleep(lease * 2000);
      one?.kill('SIGCONT');
    }
    if (fault === 'kill the engine') await this.#restartEngine(false);
    if (fault === 'kill the engine, and forget what it held') await this.#restartEngine(true);
    if (fault === 'cut the network') {
      this.#network.cut();
      await sleep(lease * 1200);
      this.#network.mend();
    }
    if (fault === 'kill the run') this.#run?.kill('SIGKILL');
    if (fault === 'a worker whose host fails')
      await this.#replace(one, { RECORDED_FAULT: 'host', RECORDED_FAULTY: '[37]$' });
  }

  /** Faults come one after the other until the run is over. */
  async #trouble(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await sleep(this.#setting.pause * 1000, undefined, { signal: over }).catch(() => {});
      const fault = faults[Math.floor(this.#random() * faults.length)];
      if (over.aborted || fault === undefined) return;
      this.#setting.tell?.(`${this.#lines().length} lines; ${fault}`);
      await this.#do(fault);
    }
  }

  #text(): string {
    try {
      return readFileSync(join(this.#folder, 'run', 'cases.jsonl'), 'utf8');
    } catch {
      return '';
    }
  }

  #lines(): string[] {
    return this.#text().split('\n').slice(0, -1);
  }

  /** Goes on with the run until every case has its verdict, whatever ends it. */
  async work(): Promise<SoakResult> {
    const started = performance.now();
    for (let index = 0; index < workers; index++) this.#hire();
    const over = new AbortController();
    const trouble = this.#trouble(over.signal);
    for (;;) {
      const { exitCode, signal, all } = await this.#begin();
      if (exitCode === 0) break;
      if (exitCode !== 3 && signal !== 'SIGKILL')
        throw new Error(`the run ended with ${exitCode ?? signal}: ${all}`);
      this.#setting.tell?.(`the run ended with ${exitCode ?? signal}, and is gone on with`);
    }
    over.abort();
    await trouble;
    return { ...this.#judge(), seconds: Math.round((performance.now() - started) / 1000) };
  }

  #judge(): Omit<SoakResult, 'seconds'> {
    const lines = this.#lines().map((line) => parseCaseLines(`${line}\n`, 'cases.jsonl')[0]);
    const told = lines.flatMap((result) => (result && result.verdict !== 'error' ? result : []));
    const counts = new Map<string, number>();
    for (const { scenario } of told) counts.set(scenario, (counts.get(scenario) ?? 0) + 1);
    const names = Array.from(
      { length: this.#setting.cases },
      (_, seed) => `seed-${String(seed).padStart(5, '0')}`,
    );
    return {
      lost: names.filter((name) => !counts.has(name)),
      twice: [...counts].filter(([, count]) => count > 1).map(([name]) => name),
      errors: lines.length - told.length,
      faults: this.#done,
    };
  }

  async stop(): Promise<void> {
    if (this.#run) await end(this.#run);
    for (const worker of this.#workers) await end(worker);
    await this.#network.close();
    await this.#engine.stop();
  }
}

/** Runs a soak and clears up after it. */
export function soak(setting: SoakSetting): Promise<SoakResult> {
  return withDir(
    async ({ path }) => {
      const farm = await Soak.start(path, setting);
      try {
        return await farm.work();
      } finally {
        await farm.stop();
      }
    },
    { unsafeCleanup: true },
  );
}
