// SPDX-License-Identifier: GPL-2.0-only
import { withLockedFolder } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { RunDirectory } from '../../results/run-directory.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { present } from '../../src/present.ts';
import type { RunRecord } from '../../src/report/types.ts';
import type { FarmAddress } from './farm/address.ts';
import { type Laboratory, prepareLaboratory } from './laboratory.ts';
import { MatrixRun } from './matrix-run.ts';
import { type MatrixRequest, planInStages } from './plan-matrix.ts';
import { endedRunRecord } from './run-record.ts';
import { localWorkplace, type Workplace } from './workplace.ts';

/** A matrix that was run, or cut short by the signal. */
export interface MatrixResult {
  record: RunRecord;
  /** Last result of each case, from this run and from what the folder had before. */
  cases: CaseResult[];
}

/** A farm's own code, and the engine's client, are loaded by those alone who ask for one. */
async function workplaceOf(
  {
    farm,
    jobs,
    urgent,
  }: Pick<MatrixRequest, 'jobs' | 'urgent'> & { farm: FarmAddress | undefined },
  laboratory: Laboratory,
  directory: RunDirectory,
  { started }: RunRecord,
): Promise<Workplace> {
  if (farm === undefined) return localWorkplace(laboratory, directory, jobs);
  const { farmWorkplace } = await import('./farm/farm-workplace.ts');
  const priority = urgent === false ? 1 : 0;
  return farmWorkplace({ address: farm, laboratory, directory, started, priority });
}

/**
 * Predicts, boots and compares every case of a matrix. The folder is consistent at all times, so
 * the run can be continued after any interruption. Another run into the same folder waits, and then
 * finds this one's cases done.
 * @throws PtdiffError for what prevents the run from starting; what happens to a case is in its
 * result
 */
export async function runMatrix(
  request: MatrixRequest,
  signal: AbortSignal,
): Promise<MatrixResult> {
  const waiting = `another ptdiff is writing into ${request.out}; this one continues when that has ended`;
  return withLockedFolder(request.out, () => runLocked(request, signal), {
    waiting,
    progress: say,
    signal,
  });
}

async function runLocked(request: MatrixRequest, signal: AbortSignal): Promise<MatrixResult> {
  const { out } = request;
  // What ends the run ends the fetching of kernels, too, and the other way round.
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const stages = planInStages(request, either);
  const { value: first } = await stages.next();
  const begun = present(first ?? undefined, 'stage of the plan');
  const laboratory = await prepareLaboratory(begun.plan.scenarios, request.qemu, request.record);
  signal.throwIfAborted();

  const directory = new RunDirectory(out);
  const run = new MatrixRun({ request, laboratory, directory });
  await run.take(begun);
  say(`results go to ${out}`);
  // Nothing is left to be run elsewhere.
  const farm = run.left > 0 || begun.awaited.length > 0 ? request.farm : undefined;
  const place = await workplaceOf({ ...request, farm }, laboratory, directory, run.record);
  // Other kernels are fetched while the cases of the first ones run.
  const planAll = async () => {
    for await (const stage of stages) await run.take(stage);
  };
  const planned = planAll().catch((error) => failed.abort(error));
  const cases = await run
    .run(place, begun.asked.jobs, either)
    .catch((error) => {
      failed.abort(error);
      throw error;
    })
    .finally(() => Promise.all([planned, place.close()]));
  if (!signal.aborted) failed.signal.throwIfAborted();
  const ended = signal.aborted ? run.record : endedRunRecord(run.record, cases);
  directory.writeRun(ended);
  return { record: ended, cases };
}
