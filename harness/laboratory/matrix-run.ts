// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../host/say.ts';
import { timedNow } from '../../host/timed.ts';
import type { RunDirectory } from '../../results/run-directory.ts';
import { lastOfEach } from '../../results/run-folder.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { messageOf } from '../../src/errors.ts';
import { present } from '../../src/present.ts';
import type { PlannedCase, RunRecord } from '../../src/report/types.ts';
import { depthOf } from '../../src/scenario/depth.ts';
import { CaseQueue } from './case-queue.ts';
import type { Laboratory } from './laboratory.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import type { Plan } from './plan.ts';
import { labelOf, type MatrixRequest, type PlannedMatrix } from './plan-matrix.ts';
import { checkResumed } from './resume.ts';
import { kernelOf } from './run-case.ts';
import { newRunRecord } from './run-record.ts';
import { type CaseEnd, runCases, type SchedulerEvent } from './scheduler.ts';
import { showProgress } from './show-progress.ts';
import type { PlacedCase, Workplace } from './workplace.ts';

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

/** What a run is made with. */
interface RunSetting {
  request: Pick<MatrixRequest, 'out' | 'order' | 'enough'>;
  laboratory: Laboratory;
  directory: RunDirectory;
}

/** One run: its record and its cases, while its plan still grows. */
export class MatrixRun {
  readonly #setting: RunSetting;
  /** Results that the folder had before. */
  readonly #finished: CaseResult[];
  /** Cases of kernels that are not available. */
  readonly #lost: CaseResult[] = [];
  readonly #queue = new CaseQueue<PlacedCase>();
  /** Names of cases that this process has begun. */
  readonly #begun = new Set<string>();
  #record?: RunRecord;
  #extent = { total: 0, done: 0, open: true };
  #screen?: ReturnType<typeof showProgress>;

  constructor(setting: RunSetting) {
    this.#setting = setting;
    this.#finished = setting.directory.finished();
  }

  /** As it is on disk. */
  get record(): RunRecord {
    return present(this.#record, 'record of the run');
  }

  /** Cases that are still to be run; more may come while the plan grows. */
  get left(): number {
    return this.#extent.total - this.#extent.done;
  }

  /**
   * Takes in what the plan has by now: its record is on disk before its cases wait.
   * @throws PtdiffError(usage) where a kernel is no longer the one that the run began with
   */
  async take({ plan, kernels, unavailable, ...matrix }: PlannedMatrix): Promise<void> {
    const { request, laboratory, directory } = this.#setting;
    const { before, awaited } = matrix;
    // What goes on with a whole plan has it already.
    const grows = before === undefined || before.awaited !== undefined;
    const parts = { ...matrix, ...laboratory, plan, kernels, unavailable };
    const fresh = await newRunRecord({ ...parts, awaited: grows ? awaited : [] });
    if (before) checkResumed(before, fresh, request.out);
    const started = before?.started ?? this.#record?.started ?? fresh.started;
    this.#record = { ...fresh, started, command: before?.command ?? fresh.command };
    directory.writeRun(this.#record);
    this.#lose(unavailableResults(plan, unavailable));
    const planned = (await request.order?.(plan.planned)) ?? plan.planned;
    const cases = casesToRun({ ...plan, planned }, kernels, this.#finished);
    const total = plan.planned.length;
    this.#extent = { total, done: total - cases.length, open: awaited.length > 0 };
    this.#screen?.tell({ kind: 'run-planned', at: performance.now(), ...this.#extent });
    this.#queue.offer(cases.filter(({ name }) => !this.#begun.has(name)));
    if (!this.#extent.open) this.#queue.close();
  }

  #lose(cases: CaseResult[]): void {
    const recorded = new Set([...this.#finished, ...this.#lost].map((result) => result.case));
    for (const result of cases.filter((each) => !recorded.has(each.case))) {
      this.#setting.directory.append(result);
      this.#lost.push(result);
    }
  }

  #tell(event: SchedulerEvent<PlacedCase>): void {
    const { name } = event.case;
    if (event.kind === 'started') {
      this.#begun.add(name);
      this.#screen?.tell({ kind: 'case-started', at: performance.now(), case: name });
    }
    if (event.kind === 'retried') say(`${name}: tried again, because ${messageOf(event.error)}`);
  }

  /**
   * Runs all cases, those that take() brings meanwhile, too; each result is on disk before the next
   * one is shown.
   * @returns the last result of each case, from this run and from what the folder had before
   */
  async run(place: Workplace, jobs: number, signal: AbortSignal): Promise<CaseResult[]> {
    const { request, directory } = this.#setting;
    const results: CaseResult[] = [];
    this.#screen = showProgress(this.#extent, jobs);
    try {
      const ends = runCases(this.#queue, place.run, {
        jobs: this.#extent.open ? place.jobs : Math.min(place.jobs, this.left),
        signal,
        retry: !place.retries,
        ...(place.turn && { turn: place.turn }),
        ...(request.enough && { enough: request.enough }),
        onEvent: (event) => this.#tell(event),
      });
      for await (const end of ends) {
        const result = resultOf(end);
        timedNow('writing', () => directory.append(result));
        results.push(result);
        this.#screen.tell({ kind: 'case-ended', at: performance.now(), result });
      }
    } finally {
      this.#screen.end();
    }
    return lastOfEach([...this.#finished, ...this.#lost, ...results]);
  }
}
