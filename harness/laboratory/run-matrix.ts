// SPDX-License-Identifier: GPL-2.0-only
import { withLockedFolder } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { timedNow } from '../../host/timed.ts';
import { RunDirectory } from '../../results/run-directory.ts';
import { lastOfEach } from '../../results/run-folder.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { messageOf } from '../../src/errors.ts';
import type { PlannedCase, RunRecord } from '../../src/report/types.ts';
import { depthOf } from '../../src/scenario/depth.ts';
import type { FarmAddress } from './farm/address.ts';
import { type Laboratory, prepareLaboratory } from './laboratory.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import type { Plan } from './plan.ts';
import { labelOf, type MatrixRequest, planMatrix } from './plan-matrix.ts';
import { checkResumed } from './resume.ts';
import { kernelOf } from './run-case.ts';
import { type Asked, endedRunRecord, newRunRecord } from './run-record.ts';
import { type CaseEnd, runCases } from './scheduler.ts';
import { showProgress } from './show-progress.ts';
import { localWorkplace, type PlacedCase, type Workplace } from './workplace.ts';

/** A matrix that was run, or cut short by the signal. */
export interface MatrixResult {
  record: RunRecord;
  /** Last result of each case, from this run and from what the folder had before. */
  cases: CaseResult[];
}

/** Cases without a result yet; a case that ended in `error` is tried again. */
function casesToRun(
  plan: Pick<Plan, 'planned' | 'scenarios'>,
  kernels: LoadedKernel[],
  finished: CaseResult[],
): PlacedCase[] {
  const done = new Set(
    finished.filter(({ verdict }) => verdict !== 'error').map((result) => result.case),
  );
  return plan.planned
    .filter((planned) => !done.has(planned.case))
    .flatMap((planned) => {
      const kernel = kernels.find(({ image }) => image.spec === planned.kernel);
      const scenario = plan.scenarios.find(({ name }) => name === planned.scenario);
      if (!kernel || !scenario) return [];
      return [{ name: planned.case, kernel, scenario, depth: depthOf(planned) }];
    });
}

/** The result of a case that ended without a verdict on the kernel. */
function errorResult(
  { case: name, scenario, depth }: Omit<PlannedCase, 'kernel'>,
  kernel: CaseResult['kernel'],
  reason: string,
): CaseResult {
  return {
    case: name,
    kernel,
    scenario,
    ...(depth && { depth }),
    verdict: 'error',
    findings: [],
    linearMap: {},
    symbols: {},
    seconds: 0,
    reason,
  };
}

function unavailableResults(plan: Plan, unavailable: RunRecord['unavailable']): CaseResult[] {
  return unavailable.flatMap(({ spec, reason }) =>
    plan.planned
      .filter(({ kernel }) => kernel === spec)
      .map((planned) => {
        const kernel = { spec, release: labelOf(spec), flavour: '', sha256: '', generation: '' };
        return errorResult(planned, kernel, reason);
      }),
  );
}

function resultOf(end: CaseEnd<PlacedCase, CaseResult>): CaseResult {
  if ('result' in end) return end.result;
  const { name, kernel, scenario, depth } = end.case;
  const planned = { case: name, scenario: scenario.name, depth };
  return errorResult(planned, kernelOf(kernel), end.error.message);
}

/** Runs all cases; each result is on disk before the next one is shown. */
async function runAll(
  cases: PlacedCase[],
  place: Workplace,
  directory: RunDirectory,
  asked: Asked,
  done: number,
  { enough, signal }: { enough?: () => boolean; signal: AbortSignal },
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const screen = showProgress(cases.length + done, done, asked.jobs);
  try {
    const ends = runCases(cases, place.run, {
      jobs: Math.min(place.jobs, cases.length),
      signal,
      retry: !place.retries,
      ...(place.turn && { turn: place.turn }),
      ...(enough && { enough }),
      onEvent: (event) => {
        if (event.kind === 'started')
          screen.tell({ kind: 'case-started', at: performance.now(), case: event.case.name });
        if (event.kind === 'retried')
          say(`${event.case.name}: tried again, because ${messageOf(event.error)}`);
      },
    });
    for await (const end of ends) {
      const result = resultOf(end);
      timedNow('writing', () => directory.append(result));
      results.push(result);
      screen.tell({ kind: 'case-ended', at: performance.now(), result });
    }
    return results;
  } finally {
    screen.end();
  }
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
  const matrix = await planMatrix(request, signal);
  const { asked, kernels, unavailable, plan, before } = matrix;
  const laboratory = await prepareLaboratory(plan.scenarios, request.qemu);
  signal.throwIfAborted();

  const fresh = await newRunRecord({ ...matrix, ...laboratory });
  if (before) checkResumed(before, fresh, out);
  const record: RunRecord = before
    ? { ...fresh, started: before.started, command: before.command }
    : fresh;
  const directory = new RunDirectory(out);
  directory.writeRun(record);
  say(`results go to ${out}`);
  const finished = directory.finished();
  const recorded = new Set(finished.map((result) => result.case));
  const lost = unavailableResults(plan, unavailable).filter((each) => !recorded.has(each.case));
  for (const result of lost) directory.append(result);
  const planned = (await request.order?.(plan.planned)) ?? plan.planned;
  const cases = casesToRun({ ...plan, planned }, kernels, finished);
  // Nothing is left to be run elsewhere.
  const farm = cases.length > 0 ? request.farm : undefined;
  const place = await workplaceOf({ ...request, farm }, laboratory, directory, record);
  const done = plan.planned.length - cases.length;
  const run = await runAll(cases, place, directory, asked, done, {
    ...(request.enough && { enough: request.enough }),
    signal,
  }).finally(() => place.close());
  const results = lastOfEach([...finished, ...lost, ...run]);
  const ended = signal.aborted ? record : endedRunRecord(record, results);
  directory.writeRun(ended);
  return { record: ended, cases: results };
}
