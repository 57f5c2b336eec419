// SPDX-License-Identifier: GPL-2.0-only
import type { Job } from 'bullmq';
import t from 'tap';
import { isForOthers, noteHostFault } from '../../../../harness/laboratory/farm/host-faults.ts';
import type { WorkerInfo } from '../../../../harness/laboratory/farm/protocol.ts';

/** What of a job is looked at: its progress, which the engine keeps. */
function jobOf(progress: unknown): Job {
  const job = {
    progress,
    updateProgress: async (told: unknown) => {
      job.progress = told;
    },
  };
  return job as unknown as Job;
}

const workers = (...ids: string[]) => {
  return async () => ids.map((id) => ({ id })) as WorkerInfo[];
};

t.test('what a host failed of goes to workers that have not tried it', async (t) => {
  const job = jobOf(0);
  t.notOk(await isForOthers(job, 'a', workers('a', 'b')), 'nobody has tried it');
  await noteHostFault(job, 'a');
  t.ok(await isForOthers(job, 'a', workers('a', 'b')));
  t.notOk(await isForOthers(job, 'b', workers('a', 'b')));
  t.notOk(await isForOthers(job, 'a', workers('a')), 'there is nobody else');
  await noteHostFault(job, 'b');
  await noteHostFault(job, 'b');
  t.same(job.progress, { failedOn: ['a', 'b'] });
  t.notOk(await isForOthers(job, 'a', workers('a', 'b')), 'all have tried it');
  t.ok(await isForOthers(job, 'a', workers('a', 'b', 'c')));
});

t.test('a progress that is none of ours says nothing', async (t) => {
  for (const progress of [50, 'a', { failedOn: 'a' }, { failedOn: [{}] }, null])
    t.notOk(await isForOthers(jobOf(progress), 'a', workers('b')));
});
