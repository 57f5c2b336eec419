// SPDX-License-Identifier: GPL-2.0-only
import type { Job } from 'bullmq';
import { z } from 'zod';
import type { WorkerInfo } from './protocol.ts';

/** Workers, by their ids, whose hosts failed a job: the job itself tells it, as its progress. */
const failedOnSchema = z.strictObject({ failedOn: z.array(z.string().max(64)).max(64) });

function failedOn(job: Job): string[] {
  return failedOnSchema.safeParse(job.progress).data?.failedOn ?? [];
}

/** Writes to a job that a worker's host cannot do it. */
export async function noteHostFault(job: Job, worker: string): Promise<void> {
  await job.updateProgress({ failedOn: [...new Set([...failedOn(job), worker])].slice(-64) });
}

/**
 * Whether a worker whose host failed a job leaves it to others that have not tried it: the others
 * may be busy for long, and it would use up the job's attempts meanwhile.
 * @param others workers that do jobs of this kind
 */
export async function isForOthers(
  job: Job,
  worker: string,
  others: () => Promise<readonly WorkerInfo[]>,
): Promise<boolean> {
  const tried = failedOn(job);
  return tried.includes(worker) && (await others()).some(({ id }) => !tried.includes(id));
}
