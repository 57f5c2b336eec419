// SPDX-License-Identifier: GPL-2.0-only
import type { FarmAddress } from './address.ts';
import { caseTasks, workerLaboratory } from './case-task.ts';
import { ownIdentity } from './identity.ts';
import { workForFarm } from './worker.ts';

/**
 * `ptdiff worker`: brings what every case needs, then works for a farm until the signal is aborted.
 * @throws PtdiffError of workForFarm(), and where this host cannot run cases
 */
export async function startWorker({
  keep,
  ...setting
}: {
  address: FarmAddress;
  jobs: number;
  label: string;
  /** Bytes that files from farms may take in the cache. */
  keep: number;
  signal: AbortSignal;
}): Promise<void> {
  const laboratory = await workerLaboratory();
  const { version, sha256 } = laboratory.emulator;
  await workForFarm({
    ...setting,
    version: { ...ownIdentity(), emulator: { version, sha256 } },
    tasks: caseTasks(laboratory, keep),
  });
}
