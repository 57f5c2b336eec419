// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { say } from '../../../host/say.ts';
import type { FarmAddress } from './address.ts';
import { BlobShelf } from './blobs.ts';
import { type JobResult, JobTable } from './job-table.ts';
import { connect, isLost, persistently, tellOutages } from './link.ts';
import {
  type FarmTimes,
  type FarmVersion,
  farmTimes,
  keys,
  type QueueName,
  queues,
} from './protocol.ts';
import { holdVersion, readWorkers } from './workers.ts';

/** How often it is looked whether workers want a file, in milliseconds. */
const serveMilliseconds = 500;
/** Milliseconds that the farm gets to hear that a run has ended. */
const farewell = 5000;
/** Jobs at the engine beyond those at work, so that a worker finds the next one waiting. */
const ahead = (slots: number): number => Math.ceil(slots / 2) + 2;
/** Jobs at the engine at the same time, whatever the number of workers. */
export const mostJobs = 8192;

export interface FarmRunSetting {
  address: FarmAddress;
  /** Names the run: the same when it is gone on with. */
  run: string;
  version: FarmVersion;
  /** Lower ones come first; 0 is what somebody waits for. */
  priority?: number;
  times?: FarmTimes;
}

/**
 * One run's part of a farm: gives out jobs, a few more than the workers can take at once, and takes
 * each result once. What the engine forgets is given out again; what this process leaves behind
 * when it dies, the engine forgets.
 */
export class FarmRun {
  readonly shelf: BlobShelf;
  readonly #client: Redis;
  readonly #setting: FarmRunSetting;
  readonly #times: FarmTimes;
  readonly #tables: Record<QueueName, JobTable>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #waiting: (() => void)[] = [];
  #window = ahead(0);
  #taken = 0;
  /** Whoever was let in has not taken its place yet. */
  #entering = false;
  #closed = false;
  #lonely = false;

  /**
   * @throws PtdiffError of connect(), and (usage) while the farm is at work for another ptdiff
   */
  static async open(setting: FarmRunSetting): Promise<FarmRun> {
    const client = await connect(setting.address);
    try {
      const farm = new FarmRun(client, setting);
      await holdVersion(client, setting.version, setting.address, farm.#times.lease);
      await farm.#begin();
      return farm;
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }

  private constructor(client: Redis, setting: FarmRunSetting) {
    this.#client = client;
    this.#setting = setting;
    this.#times = setting.times ?? farmTimes;
    this.shelf = new BlobShelf(client, setting.run);
    const table = (queue: QueueName) =>
      new JobTable({ client, queue, address: setting.address, priority: setting.priority ?? 0 });
    this.#tables = { cases: table(queues.cases), kernels: table(queues.kernels) };
  }

  async #begin(): Promise<void> {
    tellOutages(this.#client, this.#setting.address, () => this.#closed);
    this.#client.on('ready', () => void this.#beat());
    for (const table of Object.values(this.#tables)) await table.begin();
    await this.#beat();
    this.#timers.push(
      setInterval(() => void this.#beat(), this.#times.beat),
      setInterval(() => void this.#serve(), serveMilliseconds),
    );
  }

  /** What must be done again and again; an engine that is away gets it with the next beat. */
  async #beat(): Promise<void> {
    try {
      const { run, version, address } = this.#setting;
      await this.#client.set(keys.run(run), '1', 'PX', this.#times.lease);
      await holdVersion(this.#client, version, address, this.#times.lease);
      const workers = await readWorkers(this.#client);
      const slots = workers
        .filter(({ ptdiff }) => ptdiff.digest === version.digest)
        .reduce((sum, { jobs }) => sum + jobs, 0);
      this.#resize(slots);
      for (const table of Object.values(this.#tables)) await table.reconcile(this.#times.beat);
    } catch (error) {
      if (!this.#closed && !isLost(error)) say(error instanceof Error ? error.message : `${error}`);
    }
  }

  #resize(slots: number): void {
    if (slots === 0 && this.#taken > 0 && !this.#lonely) {
      say('the farm has no worker of this version yet: the run waits for one');
      this.#lonely = true;
    }
    if (slots > 0) this.#lonely = false;
    this.#window = Math.min(mostJobs, slots + ahead(slots));
    this.#admit();
  }

  async #serve(): Promise<void> {
    if (this.#taken === 0) return;
    await this.shelf.serve().catch(() => {});
  }

  /** Lets those who wait take their places, one after the other. */
  #admit(): void {
    if (this.#entering || (this.#taken >= this.#window && !this.#closed)) return;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#entering = true;
    next();
    // Until then whoever was let in has taken a place, or has no more use for one.
    setImmediate(() => {
      this.#entering = false;
      this.#admit();
    });
  }

  /** Settles when the farm can take a job, or the signal is aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve(), { once: true });
    this.#waiting.push(resolve);
    this.#admit();
    await promise;
  }

  /**
   * Gives out a job and returns its result, however often it is run until then.
   * @param prepare makes the job, within the place that it takes
   * @throws PtdiffError with what the job failed of; the signal's reason
   */
  async submit(
    queue: QueueName,
    job: string,
    prepare: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<JobResult> {
    this.#taken++;
    try {
      signal.throwIfAborted();
      const data = await prepare();
      return await this.#tables[queue].run(job, data, signal);
    } finally {
      this.#taken--;
      this.#admit();
    }
  }

  /** Whether a worker of this version builds kernels. */
  async hasBuilders(): Promise<boolean> {
    const { digest } = this.#setting.version;
    const workers = await persistently(() => readWorkers(this.#client));
    return workers.some(({ ptdiff, builds }) => builds && ptdiff.digest === digest);
  }

  /** Takes back what was given out and not run, and tells workers to end what they run of it. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const resolve of this.#waiting.splice(0)) resolve();
    const leave = async () => {
      await persistently(() => this.#client.del(keys.run(this.#setting.run)));
      for (const table of Object.values(this.#tables)) await table.takeBack();
    };
    await Promise.race([leave(), sleep(farewell, undefined, { ref: false })]).catch(() => {});
    const closing = Promise.all(Object.values(this.#tables).map((table) => table.close()));
    await Promise.race([closing, sleep(farewell, undefined, { ref: false })]).catch(() => {});
    this.#client.disconnect();
  }
}
