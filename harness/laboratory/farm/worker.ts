// SPDX-License-Identifier: GPL-2.0-only
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { availableParallelism, hostname, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { explainDiskFull } from '../../../host/disk-space.ts';
import { say } from '../../../host/say.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { farmName } from './address.ts';
import { FailedBuild } from './failed-build.ts';
import { isForOthers, noteHostFault } from './host-faults.ts';
import { connect, connectionOptions, isLost, persistently, tellOutages } from './link.ts';
import {
  type FarmTimes,
  farmTimes,
  type JobEnd,
  type JobFailure,
  keyPrefix,
  keys,
  mostStalls,
  type QueueName,
  queues,
  resultLife,
} from './protocol.ts';
import { caseTask, isFinal, kernelTask, type Task, type WorkerSetting } from './worker-tasks.ts';
import { checkVersion, readVersion, readWorkers, tellOfWorker } from './workers.ts';

/** Minutes of which the engine keeps how many jobs ended. */
const keptMinutes = 60;
/** After a fault of its host a worker rests, twice as long each time, in milliseconds. */
const rest = { least: 5000, most: 300_000 } as const;

/**
 * Works for a farm until the signal is aborted: then it gives back what it has at work. While the
 * farm's engine is away it waits.
 * @throws PtdiffError(usage) when the farm runs another ptdiff, at the start or later; of connect()
 */
export async function workForFarm(setting: WorkerSetting): Promise<void> {
  const client = await connect(setting.address);
  try {
    checkVersion(await readVersion(client), setting.version, setting.address);
    await new FarmWorker(client, setting).work();
  } finally {
    client.disconnect();
  }
}

class FarmWorker {
  readonly #client: Redis;
  readonly #setting: WorkerSetting;
  readonly #times: FarmTimes;
  readonly #id = randomUUID();
  readonly #began = performance.now();
  /** Cases at work, by the id of their job, with the run that they are for. */
  readonly #running = new Map<string, { name: string; run: string; stop: AbortController }>();
  readonly #ending = new AbortController();
  readonly #workers: Worker[] = [];
  #done = 0;
  #failed = 0;
  #rest: number = rest.least;
  #refused?: PtdiffError;

  constructor(client: Redis, setting: WorkerSetting) {
    this.#client = client;
    this.#setting = setting;
    this.#times = setting.times ?? farmTimes;
    const { tasks } = setting;
    const link = { client };
    this.#open(queues.cases, setting.jobs, (data) => caseTask(data, tasks, link));
    const build = tasks.buildKernel;
    // make uses all CPUs by itself.
    if (build) this.#open(queues.kernels, 1, (data) => kernelTask(data, build, link));
  }

  /** @param understand gives the task of a job's data; undefined for what is none */
  #open(
    queue: QueueName,
    concurrency: number,
    understand: (data: unknown) => Task | undefined,
  ): void {
    const worker = new Worker(
      queue,
      (job: Job, token?: string) => this.#process(job, understand(job.data), token ?? ''),
      {
        connection: connectionOptions(this.#setting.address),
        prefix: keyPrefix,
        name: this.#setting.label,
        concurrency,
        lockDuration: this.#times.lease,
        stalledInterval: this.#times.lease / 2,
        maxStalledCount: mostStalls,
        runRetryDelay: 1000,
        metrics: { maxDataPoints: keptMinutes },
        autorun: false,
      },
    );
    worker.on('error', (error) => {
      if (!isLost(error) && !/lock|Missing key/i.test(messageOf(error))) say(messageOf(error));
    });
    // Another has the job by now, or nobody wants it any more.
    worker.on('lockRenewalFailed', (jobs) => {
      for (const job of jobs) this.#running.get(job)?.stop.abort(new Error('the job was lost'));
    });
    this.#workers.push(worker);
  }

  async work(): Promise<void> {
    const { signal, address, label, jobs } = this.#setting;
    const end = () => this.#ending.abort(signal.reason);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    tellOutages(this.#client, address, () => this.#ending.signal.aborted);
    await this.#beat();
    const timer = setInterval(() => void this.#beat(), this.#times.beat);
    say(
      `worker ${label} takes up to ${jobs} cases at a time from the farm at ${farmName(address)}`,
    );
    for (const worker of this.#workers) void worker.run().catch(() => {});
    if (!this.#ending.signal.aborted) await once(this.#ending.signal, 'abort');
    clearInterval(timer);
    for (const { stop } of this.#running.values()) stop.abort(new Error('the worker ends'));
    await this.#leave();
    signal.removeEventListener('abort', end);
    if (this.#refused) throw this.#refused;
  }

  /** An engine that is away must not keep it. */
  async #leave(): Promise<void> {
    const late = (milliseconds: number) => sleep(milliseconds, 'late', { ref: false });
    const all = (act: (worker: Worker) => Promise<void>) => Promise.all(this.#workers.map(act));
    const closed = await Promise.race([all((worker) => worker.close()), late(10_000)]);
    if (closed === 'late') await Promise.race([all((worker) => worker.disconnect()), late(2000)]);
    await Promise.race([this.#client.del(keys.worker(this.#id)), late(1000)]).catch(() => {});
  }

  /** Tells of itself: with each beat, and when what it runs changes. */
  async #tell(): Promise<void> {
    const { label, version, jobs } = this.#setting;
    const [load = 0] = loadavg();
    await tellOfWorker(
      this.#client,
      {
        id: this.#id,
        label,
        host: hostname(),
        ptdiff: { digest: version.digest, text: version.text },
        emulator: version.emulator,
        jobs,
        builds: this.#setting.tasks.buildKernel !== undefined,
        load,
        cpus: availableParallelism(),
        running: [...this.#running.values()].map(({ name }) => name),
        done: this.#done,
        failed: this.#failed,
        age: Math.round((performance.now() - this.#began) / 1000),
      },
      this.#times.lease,
    );
  }

  /** Tells of itself, and looks whether it is still wanted: by the farm, and by the runs. */
  async #beat(): Promise<void> {
    try {
      await this.#tell();
      await this.#checkWanted();
    } catch (error) {
      if (error instanceof PtdiffError) {
        this.#refused = error;
        this.#ending.abort(error);
      } else if (!isLost(error)) say(messageOf(error));
    }
  }

  async #checkWanted(): Promise<void> {
    const { version, address } = this.#setting;
    checkVersion(await readVersion(this.#client), version, address);
    const runs = new Set([...this.#running.values()].map(({ run }) => run));
    for (const run of runs) {
      if ((await this.#client.exists(keys.run(run))) === 1) continue;
      for (const each of this.#running.values())
        if (each.run === run) each.stop.abort(new Error('the run has ended'));
    }
  }

  /** Gives a job back to the queue, for another worker. */
  async #giveBack(job: Job, token: string): Promise<never> {
    await job.moveToWait(token);
    throw new WaitingError();
  }

  /** What this host has failed of goes to another worker, as long as there is one. */
  #leavesToOthers(job: Job): Promise<boolean> {
    const { digest } = this.#setting.version;
    return isForOthers(job, this.#id, async () => {
      const workers = await persistently(() => readWorkers(this.#client));
      return workers.filter(
        ({ ptdiff, builds }) =>
          ptdiff.digest === digest && (builds || job.queueName !== queues.kernels),
      );
    });
  }

  async #process(job: Job, task: Task | undefined, token: string): Promise<JobEnd> {
    if (!task) throw this.#failure(new PtdiffError('harness', 'A job is none.'), true);
    const { version } = this.#setting;
    const { ptdiff, emulator = version.emulator.sha256 } = task;
    // Where a run gives work to other versions, the next beat says why.
    const isOther = ptdiff !== version.digest || emulator !== version.emulator.sha256;
    if (isOther || (await this.#leavesToOthers(job))) {
      await sleep(1000, undefined, { signal: this.#ending.signal }).catch(() => {});
      return this.#giveBack(job, token);
    }
    const alive = await persistently(() => this.#client.exists(keys.run(task.run)));
    if (alive === 0) return { abandoned: true };
    const stop = new AbortController();
    this.#running.set(job.id ?? '', { name: task.name, run: task.run, stop });
    this.#tellChange();
    try {
      return await this.#attempt(job, task, stop.signal);
    } catch (error) {
      if (this.#ending.signal.aborted) return await this.#giveBack(job, token);
      if (stop.signal.aborted) return { abandoned: true };
      throw error;
    } finally {
      this.#running.delete(job.id ?? '');
      this.#tellChange();
    }
  }

  /** What it runs has changed: `farm status` must not say for a whole beat what was before. */
  #tellChange(): void {
    // The next beat tells it, and what is wrong, if this does not get through.
    if (!this.#ending.signal.aborted) void this.#tell().catch(() => {});
  }

  async #attempt(job: Job, task: Task, signal: AbortSignal): Promise<JobEnd> {
    const { label } = this.#setting;
    try {
      signal.throwIfAborted();
      const packed = await task.perform(signal);
      const key = keys.result(job.id ?? '');
      await persistently(
        async () => {
          await this.#client.hset(key, { packed, worker: label });
          await this.#client.pexpire(key, resultLife);
        },
        { signal },
      );
      this.#done++;
      this.#rest = rest.least;
      return { worker: label };
    } catch (error) {
      if (signal.aborted) throw error;
      this.#failed++;
      const known = await explainDiskFull(error, task.name);
      const told =
        known instanceof PtdiffError ? known : new PtdiffError('harness', messageOf(error));
      say(`${task.name}: ${messageOf(told)}`);
      if (told.fault === 'host') {
        this.#takeRest();
        await persistently(() => noteHostFault(job, this.#id), { signal });
      }
      throw this.#failure(told, isFinal(told, job.attemptsMade));
    }
  }

  #failure(error: PtdiffError, final: boolean): Error {
    const { fault, message } = error;
    const failure: JobFailure = {
      fault,
      message: message.slice(0, 10_000),
      worker: this.#setting.label,
      ...(error instanceof FailedBuild && { log: error.log }),
    };
    const text = JSON.stringify(failure);
    return final ? new UnrecoverableError(text) : new Error(text);
  }

  /** A host that cannot run cases must not take one after the other and fail them all. */
  #takeRest(): void {
    if (this.#workers.some((worker) => worker.isPaused())) return;
    const milliseconds = this.#rest;
    this.#rest = Math.min(rest.most, 2 * milliseconds);
    say(`takes no case for ${milliseconds / 1000} s, since this host fails them`);
    for (const worker of this.#workers) void worker.pause(true).catch(() => {});
    setTimeout(() => {
      if (this.#ending.signal.aborted) return;
      for (const worker of this.#workers) void worker.resume().catch(() => {});
    }, milliseconds).unref();
  }
}
