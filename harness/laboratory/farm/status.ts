// SPDX-License-Identifier: GPL-2.0-only
import { Queue } from 'bullmq';
import type { FarmAddress } from './address.ts';
import { failureOf } from './job-table.ts';
import { connect } from './link.ts';
import {
  type FarmVersion,
  keyPrefix,
  type QueueName,
  queues,
  type WorkerInfo,
} from './protocol.ts';
import { readVersion, readWorkers } from './workers.ts';

/** What one queue holds. */
export interface QueueState {
  name: QueueName;
  waiting: number;
  active: number;
  /** Jobs that ended in the last whole minute in which any did. */
  perMinute: number;
  /** Jobs that ended since the engine knows this queue. */
  ended: number;
  failed: number;
  /** The newest failures: what failed and why. */
  failures: { job: string; reason: string }[];
}

/** A farm at one moment. */
export interface FarmStatus {
  schema: 1;
  version?: FarmVersion;
  workers: WorkerInfo[];
  queues: QueueState[];
  engine: { version: string; usedBytes: number; clients: number };
}

/** Failures that are told. */
const toldFailures = 5;

interface Counts {
  waiting: number;
  active: number;
  failed: number;
}

async function countsOf(queue: Queue): Promise<Counts> {
  const counts = await queue.getJobCounts('wait', 'prioritized', 'active', 'failed');
  const count = (name: string): number => counts[name] ?? 0;
  return {
    waiting: count('wait') + count('prioritized'),
    active: count('active'),
    failed: count('failed'),
  };
}

function nameOf(data: unknown): string {
  const { case: asked, spec } = (data ?? {}) as { case?: { name?: unknown }; spec?: unknown };
  return String(asked?.name ?? spec ?? 'a job').slice(0, 200);
}

/**
 * Looks at a farm.
 * @throws PtdiffError where the farm cannot be had
 */
export async function farmStatus(address: FarmAddress): Promise<FarmStatus> {
  const client = await connect(address);
  const opened = [queues.cases, queues.kernels].map((name) => ({
    name,
    queue: new Queue(name, { connection: client, prefix: keyPrefix }),
  }));
  for (const { queue } of opened) queue.on('error', () => {});
  try {
    const states = await Promise.all(
      opened.map(async ({ name, queue }): Promise<QueueState> => {
        const failures = await queue.getFailed(0, toldFailures - 1);
        const metrics = await queue.getMetrics('completed', 0, 0);
        return {
          name,
          ...(await countsOf(queue)),
          perMinute: Number(metrics.data[0] ?? 0),
          ended: metrics.meta.count,
          failures: failures.map(({ data, failedReason }) => ({
            job: nameOf(data),
            reason: failureOf(failedReason ?? '').message,
          })),
        };
      }),
    );
    const info = await client.info();
    const field = (name: string): string =>
      new RegExp(`^${name}:(.*)\r?$`, 'm').exec(info)?.[1] ?? '';
    const version = await readVersion(client);
    return {
      schema: 1,
      ...(version && { version }),
      workers: await readWorkers(client),
      queues: states,
      engine: {
        version: `${field('valkey_version') ? 'Valkey' : 'Redis'} ${(field('valkey_version') || field('redis_version')).trim()}`,
        usedBytes: Number(field('used_memory')),
        clients: Number(field('connected_clients')),
      },
    };
  } finally {
    for (const { queue } of opened) await queue.close().catch(() => {});
    client.disconnect();
  }
}
