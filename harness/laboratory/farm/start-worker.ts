// SPDX-License-Identifier: GPL-2.0-only
import type { FarmAddress } from './address.ts';
import { caseTasks, workerLaboratory } from './case-task.ts';
import { ownIdentity } from './identity.ts';
import { buildForFarm } from './kernel-task.ts';
import type { KernelJob } from './protocol.ts';
import { workForFarm } from './worker.ts';
import type { WorkerLink } from './worker-tasks.ts';

/**
 * `ptdiff worker`: brings what every case needs, then works for a farm until the signal is aborted.
 * @throws PtdiffError of workForFarm(), and where this host cannot run cases
 */
export async function startWorker({
  keep,
  build,
  ...setting
}: {
  address: FarmAddress;
  jobs: number;
  label: string;
  /** Bytes that files from farms may take in the cache. */
  keep: number;
  /** Build kernels, too: the makefiles of their sources run on this host. */
  build: boolean;
  signal: AbortSignal;
}): Promise<void> {
  const laboratory = await workerLaboratory();
  const { version, sha256 } = laboratory.emulator;
  await workForFarm({
    ...setting,
    version: { ...ownIdentity(), emulator: { version, sha256 } },
    tasks: {
      ...caseTasks(laboratory, keep),
      ...(build && {
        buildKernel: (job: KernelJob, link: WorkerLink, signal: AbortSignal) =>
          buildForFarm(job, link, keep, signal),
      }),
    },
  });
}
