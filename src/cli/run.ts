import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { buildInitramfs } from '../../guest/build.ts';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { RunDirectory } from '../../harness/run-directory.ts';
import { type Outcome, runCases } from '../../harness/scheduler.ts';
import { type Emulator, packagedEmulator, userEmulator } from '../../images/emulator.ts';
import { parseKernelSpec } from '../../images/kernel-spec.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import type { CaseResult } from '../diff/types.ts';
import { messageOf, PtdiffError } from '../errors.ts';
import { wantsColour } from '../report/colour.ts';
import { createProgress, type ProgressEvent } from '../report/progress.ts';
import type { RunRecord } from '../report/types.ts';
import { defaultKernels } from '../scenario/built-in.ts';
import { type LoadedKernel, loadKernel } from './loaded-kernel.ts';
import { say } from './output.ts';
import { type Plan, planCases, scenariosNamed } from './plan.ts';
import { publishReport } from './publish-report.ts';
import { checkResumed, resumedAsk } from './resume.ts';
import { type Case, kernelOf, type Laboratory, runCase } from './run-case.ts';
import { type Asked, endedRunRecord, newRunRecord, repositoryRoot } from './run-record.ts';

/** Options of `ptdiff run` as the command line has them. */
export interface RunOptions {
  kernel: string[];
  scenario: string[];
  jobs: number;
  out?: string;
  json?: boolean;
  qemu?: string;
  dryRun?: boolean;
}

/** Where known issues are documented. */
export const knownIssuesFolder = join(repositoryRoot, 'results', 'known-issues');

/** A folder of its own for each run, below results/. */
function defaultOut(): string {
  const stamp = new Date().toISOString().replaceAll(':', '-').slice(0, 19);
  return join(repositoryRoot, 'results', 'runs', stamp);
}

/** The user's QEMU, or the pinned one. */
export async function chooseEmulator(path: string | undefined): Promise<Emulator> {
  return path === undefined ? packagedEmulator({ progress: say }) : userEmulator(path);
}

/** The realm monitor's code, compiled or from the cache. */
export async function loadMonitor(): Promise<NonNullable<Laboratory['monitor']>> {
  const { path, sha256 } = await buildMonitor({ progress: say });
  return { code: await readFile(path), sha256 };
}

/** A label for the cases of a kernel that is not to be had: its spec without what a folder name cannot hold. */
function labelOf(spec: string): string {
  return spec.replace(/^debian:/, '').replaceAll(/[^A-Za-z0-9._+-]+/g, '-');
}

/** Kernels that could be brought, and those that could not, each with its reason: the run goes on without them. */
async function loadKernels(
  specs: string[],
): Promise<{ kernels: LoadedKernel[]; unavailable: RunRecord['unavailable'] }> {
  const kernels: LoadedKernel[] = [];
  const unavailable: RunRecord['unavailable'] = [];
  for (const spec of specs) {
    try {
      const kernel = await loadKernel(spec, { progress: say });
      for (const note of kernel.image.notes) say(`${spec}: ${note}`);
      kernels.push(kernel);
    } catch (error) {
      if (!(error instanceof PtdiffError) || error.fault === 'usage' || error.fault === 'harness') throw error;
      unavailable.push({ spec, reason: error.message });
      say(`${spec}: ${error.message}`);
    }
  }
  return { kernels, unavailable };
}

/** A case whose folder is made when it starts. */
type PlacedCase = Omit<Case, 'directory'>;

/** Cases that have no result yet; one that ended in `error` gets another chance. */
function casesToRun(plan: Plan, kernels: LoadedKernel[], finished: CaseResult[]): PlacedCase[] {
  const done = new Set(finished.filter(({ verdict }) => verdict !== 'error').map((result) => result.case));
  return plan.planned
    .filter((planned) => !done.has(planned.case))
    .flatMap((planned) => {
      const kernel = kernels.find(({ image }) => image.spec === planned.kernel);
      const scenario = plan.scenarios.find(({ name }) => name === planned.scenario);
      if (!kernel || !scenario) return [];
      return [{ name: planned.case, kernel, scenario }];
    });
}

/** What is written of a case that ended without a verdict on the kernel. */
function errorResult(name: string, kernel: CaseResult['kernel'], scenario: string, reason: string): CaseResult {
  return {
    case: name,
    kernel,
    scenario,
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
        return errorResult(planned.case, kernel, planned.scenario, reason);
      }),
  );
}

function resultOf(outcome: Outcome<PlacedCase, CaseResult>): CaseResult {
  if ('result' in outcome) return outcome.result;
  const { name, kernel, scenario } = outcome.case;
  return errorResult(name, kernelOf(kernel), scenario.name, outcome.error.message);
}

/** Shows progress on stderr; the answer ends the display. */
function showProgress(total: number, done: number, jobs: number): { tell(event: ProgressEvent): void; end(): void } {
  const { stderr } = process;
  const live = stderr.isTTY === true;
  const progress = createProgress({ live, columns: stderr.columns ?? 100, colour: wantsColour(stderr, process.env) });
  const tell = (event: ProgressEvent): void => void stderr.write(progress(event));
  tell({ kind: 'run-started', at: performance.now(), total, done, jobs });
  const timer = live ? setInterval(() => tell({ kind: 'tick', at: performance.now() }), 1000) : undefined;
  return {
    tell,
    end: () => {
      clearInterval(timer);
      tell({ kind: 'run-ended', at: performance.now() });
    },
  };
}

/** Runs all cases; each result is on the disk before the next one is shown. */
async function runAll(
  cases: PlacedCase[],
  laboratory: Laboratory,
  directory: RunDirectory,
  asked: Asked,
  done: number,
  signal: AbortSignal,
): Promise<void> {
  const screen = showProgress(cases.length + done, done, asked.jobs);
  try {
    const outcomes = runCases(
      cases,
      (each, stop) => runCase(laboratory, { ...each, directory: directory.caseDirectory(each.name) }, stop),
      {
        jobs: asked.jobs,
        signal,
        onEvent: (event) => {
          if (event.kind === 'started')
            screen.tell({ kind: 'case-started', at: performance.now(), case: event.case.name });
          if (event.kind === 'retried') say(`${event.case.name}: tried again, because ${messageOf(event.error)}`);
        },
      },
    );
    for await (const outcome of outcomes) {
      const result = resultOf(outcome);
      directory.append(result);
      screen.tell({ kind: 'case-ended', at: performance.now(), result });
    }
  } finally {
    screen.end();
  }
}

/** Prints what a run would do. */
function printPlan({ planned, leftOut }: Plan): void {
  for (const { case: name } of planned) process.stdout.write(`${name}\n`);
  say(`${planned.length} cases; ${leftOut.length} left out by pairwise coverage (--scenario all runs everything)`);
}

/**
 * `ptdiff run`: predicts, boots, compares and reports.
 * @returns the exit code
 */
export async function run(options: RunOptions, signal: AbortSignal): Promise<number> {
  const out = resolve(options.out ?? defaultOut());
  const before = options.out === undefined ? undefined : await resumedAsk(out, options);
  const asked: Asked = {
    kernels: before?.asked.kernels ?? (options.kernel.length > 0 ? options.kernel : [...defaultKernels]),
    scenarios: before?.asked.scenarios ?? options.scenario,
    jobs: options.jobs,
  };
  // What costs nothing to check comes before what takes minutes to fetch.
  for (const name of asked.scenarios) await scenariosNamed(name);
  for (const spec of asked.kernels) parseKernelSpec(spec);
  const { kernels, unavailable } = await loadKernels(asked.kernels);
  signal.throwIfAborted();
  const labels = [
    ...kernels.map(({ image, traits }) => ({
      spec: image.spec,
      label: image.release,
      knowsRealms: traits.knowsRealms,
    })),
    ...unavailable.map(({ spec }) => ({ spec, label: labelOf(spec), knowsRealms: true })),
  ].sort((a, b) => asked.kernels.indexOf(a.spec) - asked.kernels.indexOf(b.spec));
  const plan = await planCases(labels, asked.scenarios);
  if (options.dryRun) {
    printPlan(plan);
    return 0;
  }
  const emulator = await chooseEmulator(options.qemu);
  for (const note of emulator.notes) say(note);
  const initramfs = await buildInitramfs({ progress: say });
  const monitor = plan.scenarios.some(({ machine }) => machine.firmware) ? await loadMonitor() : undefined;
  signal.throwIfAborted();

  const fresh = await newRunRecord({ asked, plan, kernels, unavailable, emulator, initramfs, monitor });
  if (before) checkResumed(before, fresh, out);
  const record: RunRecord = before ? { ...fresh, started: before.started, command: before.command } : fresh;
  const directory = new RunDirectory(out);
  directory.writeRun(record);
  say(`results go to ${out}`);
  const finished = directory.finished();
  const recorded = new Set(finished.map((result) => result.case));
  for (const result of unavailableResults(plan, unavailable)) if (!recorded.has(result.case)) directory.append(result);
  const laboratory = {
    emulator,
    initramfs,
    ...(monitor && { monitor }),
    knownIssues: await loadKnownIssues(knownIssuesFolder),
  };
  const cases = casesToRun(plan, kernels, finished);
  await runAll(cases, laboratory, directory, asked, plan.planned.length - cases.length, signal);
  if (!signal.aborted) directory.writeRun(endedRunRecord(record, directory.finished()));
  return publishReport(out, { json: options.json === true, interrupted: signal.aborted });
}
