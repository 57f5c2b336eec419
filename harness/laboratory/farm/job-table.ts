// SPDX-License-Identifier: GPL-2.0-only
import { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { PtdiffError } from '../../../src/errors.ts';
import type { FarmAddress } from './address.ts';
import { FailedBuild } from './failed-build.ts';
import { connectionOptions, persistently } from './link.ts';
import {
  jobEndSchema,
  jobFailureSchema,
  keyPrefix,
  keys,
  mostStalls,
  parseJson,
  type QueueName,
} from './protocol.ts';

/** What came of a job, as the worker sent it. */
export interface JobResult {
  packed: Buffer;
  worker: string;
}

interface Outstanding {
  data: unknown;
  /** When it was given out, or looked at last, in milliseconds of a steady clock. */
  seen: number;
  settling: boolean;
  result: PromiseWithResolvers<JobResult>;
}

/** Times that a job may be tried where a host is to blame; a worker stops earlier for others. */
const attempts = 4;
/** Failed jobs that the engine keeps for whoever looks after the farm. */
const keptFailures = 1000;
/** BullMQ's own words for a job that stalled more than `mostStalls` times (moveStalledJobsToWait). */
const stalledTooOften = 'job stalled more than allowable limit';

/** Jobs of one queue that were given out and have no result yet. */
export class JobTable {
  readonly #client: Redis;
  readonly #queueName: QueueName;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #priority: number;
  readonly #jobs = new Map<string, Outstanding>();

  constructor({
    client,
    queue,
    address,
    priority,
  }: {
    client: Redis;
    queue: QueueName;
    address: FarmAddress;
    priority: number;
  }) {
    this.#client = client;
    this.#queueName = queue;
    this.#priority = priority;
    this.#queue = new Queue(queue, { connection: client, prefix: keyPrefix });
    this.#events = new QueueEvents(queue, {
      connection: connectionOptions(address),
      prefix: keyPrefix,
    });
    // Whoever waits for the engine is told so by its client; these come again by themselves.
    this.#queue.on('error', () => {});
    this.#events.on('error', () => {});
    this.#events.on('completed', ({ jobId, returnvalue }) => {
      const end = jobEndSchema.safeParse(returnvalue).data;
      void this.#settle(jobId, end && 'worker' in end ? end.worker : undefined);
    });
    this.#events.on('failed', ({ jobId, failedReason }) => this.#fail(jobId, failedReason));
  }

  /** From then on ends are heard of. */
  async begin(): Promise<void> {
    await this.#events.waitUntilReady();
    await this.#queue.waitUntilReady();
  }

  /** Gives out a job, or takes over what an earlier process of the same run gave out. */
  async run(job: string, data: unknown, signal: AbortSignal): Promise<JobResult> {
    const result = Promise.withResolvers<JobResult>();
    const abort = () => result.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // It may fail before anybody waits for it here.
    result.promise.catch(() => {});
    const outstanding = { data, seen: performance.now(), settling: false, result };
    this.#jobs.set(job, outstanding);
    try {
      // It may have come while nobody was there to take it.
      if (!(await this.#take(job, outstanding, undefined))) await this.#add(job, data, signal);
      return await result.promise;
    } finally {
      signal.removeEventListener('abort', abort);
      this.#jobs.delete(job);
    }
  }

  /** A job of that id that is at work, or waits, stays as it is; one that failed makes room. */
  async #add(job: string, data: unknown, signal?: AbortSignal): Promise<void> {
    const options = {
      jobId: job,
      attempts,
      removeOnComplete: true,
      removeOnFail: { count: keptFailures },
      ...(this.#priority > 0 && { priority: this.#priority }),
    };
    await persistently(
      async () => {
        const state = await this.#client.hget(keys.job(this.#queueName, job), 'finishedOn');
        if (state !== null) await this.#queue.remove(job);
        await this.#queue.add(this.#queueName, data, options);
      },
      { ...(signal && { signal }) },
    );
  }

  /** @returns whether there was a result */
  async #take(job: string, outstanding: Outstanding, worker: string | undefined): Promise<boolean> {
    const key = keys.result(job);
    const [packed, by] = await persistently(() =>
      this.#client.hmgetBuffer(key, 'packed', 'worker'),
    );
    if (!packed) return false;
    outstanding.result.resolve({ packed, worker: worker ?? by?.toString('utf8') ?? '' });
    // It counts from here on; another of the same job finds nobody who waits.
    await persistently(() => this.#client.unlink(key));
    return true;
  }

  /** The queue says that a job has ended: its result is there, or it must be run again. */
  async #settle(job: string, worker: string | undefined): Promise<void> {
    const outstanding = this.#jobs.get(job);
    if (outstanding === undefined || outstanding.settling) return;
    outstanding.settling = true;
    try {
      if (await this.#take(job, outstanding, worker)) return;
      if (this.#jobs.get(job) === outstanding) await this.#add(job, outstanding.data);
    } catch (error) {
      outstanding.result.reject(error);
    } finally {
      outstanding.settling = false;
      outstanding.seen = performance.now();
    }
  }

  #fail(job: string, reason: string): void {
    this.#jobs.get(job)?.result.reject(failureOf(reason));
  }

  /**
   * Looks after jobs that have not been heard of for some time: an event may be lost with a
   * connection, and a job with an engine.
   * @param age milliseconds
   */
  async reconcile(age: number): Promise<void> {
    const before = performance.now() - age;
    const quiet = [...this.#jobs].filter(([, { seen, settling }]) => !settling && seen < before);
    if (quiet.length === 0) return;
    const pipeline = this.#client.pipeline();
    for (const [job] of quiet)
      pipeline.hmget(keys.job(this.#queueName, job), 'timestamp', 'finishedOn', 'failedReason');
    const answers = (await pipeline.exec()) ?? [];
    for (const [index, [job, outstanding]] of quiet.entries()) {
      const [error, fields] = answers[index] ?? [];
      if (error || !Array.isArray(fields)) continue;
      outstanding.seen = performance.now();
      const [timestamp, finished, reason] = fields as (string | null)[];
      if (finished && reason) this.#fail(job, reason);
      else if (finished || timestamp === null) await this.#settle(job, undefined);
    }
  }

  /** Removes what waits at the engine; what a worker has is locked, and ends with the run's lease. */
  async takeBack(): Promise<void> {
    await Promise.allSettled([...this.#jobs.keys()].map((job) => this.#queue.remove(job)));
  }

  async close(): Promise<void> {
    await this.#events.close().catch(() => {});
    await this.#queue.close().catch(() => {});
  }
}

/** Why a job failed, as the error that the run would have met without a farm. */
export function failureOf(reason: string): PtdiffError {
  if (reason === stalledTooOften)
    return new PtdiffError(
      'host',
      `${mostStalls + 1} workers were lost while they ran it, which tells nothing of the kernel: see their logs, and that their hosts have memory enough.`,
    );
  const failure = parseJson(jobFailureSchema, reason);
  if (failure === undefined)
    return new PtdiffError(
      'harness',
      `A worker failed in a way of its own: ${reason.slice(0, 300)}.`,
    );
  const { fault, message, worker, log } = failure;
  if (log !== undefined) return new FailedBuild(message, log);
  const where = fault === 'image' || fault === 'usage' ? '' : ` (on the worker ${worker})`;
  return new PtdiffError(fault, `${message.replace(/\.$/, '')}${where}.`);
}
