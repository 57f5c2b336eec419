// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha256 } from '../../host/cache.ts';
import { runFiles } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import {
  beginNight,
  endNight,
  lastUnconfirmed,
  nightsOf,
  rememberKernels,
  watchedKernels,
} from '../../results/store/nights.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import type { Store } from '../../results/store/store.ts';
import type { Look } from '../../src/history/types.ts';
import type { NightConfig } from '../../src/nightly/config.ts';
import {
  casesToConfirm,
  judgeNight,
  suspects,
  type WatchedFinding,
  type WatchedLooks,
} from '../../src/nightly/judge-night.ts';
import { type Lead, leadOf } from '../../src/nightly/lead.ts';
import {
  type Candidate,
  type Choice,
  coveredSince,
  type NightInput,
  planNight,
  reasons,
} from '../../src/nightly/plan-night.ts';
import {
  type Coverage,
  commitText,
  type NewKernel,
  type NightSummary,
} from '../../src/nightly/summary.ts';
import { type KernelOfWatch, looksByWatch, tells, watchesOf } from '../../src/nightly/watches.ts';
import type { PlannedCase } from '../../src/report/types.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { scenarioHash } from '../../src/scenario/identity.ts';
import type { Variation } from '../../src/scenario/variation.ts';
import { chooseEmulator } from './laboratory.ts';
import { type TonightsKernel, tonightsKernels } from './night-kernels.ts';
import { type PlannedMatrix, planMatrix } from './plan-matrix.ts';
import { nightParts, nightRuns } from './recover-nights.ts';
import { writeReportPage } from './report-page.ts';
import { runMatrix } from './run-matrix.ts';
import { timeStamp } from './run-record.ts';

/** Everything that one night works with. */
export interface NightSetting {
  config: NightConfig;
  /** Path of the configuration: nights of one file follow each other. */
  configPath: string;
  /** The night's own folder. */
  folder: string;
  jobs: number;
  store: Store;
  signal: AbortSignal;
}

/** A night whose kernels are there and whose cases are chosen. */
export interface PreparedNight {
  started: Date;
  specs: string[];
  scenarios: string[];
  /** Every night sees kernels at other slides. */
  variation: Variation;
  unavailable: NightSummary['unavailable'];
  oldLists?: string;
  /** The kernel of each watch. */
  watched: (KernelOfWatch & Omit<NewKernel, 'again'>)[];
  newKernels: NewKernel[];
  input: NightInput;
  choices: Choice[];
}

/** Two watches may have the same kernel tonight, which is booted once. */
function distinctSpecs(
  kernels: readonly TonightsKernel[],
  { kernels: loaded }: PlannedMatrix,
): string[] {
  const hashes = new Set<string>();
  return loaded
    .filter(({ image }) => kernels.some(({ spec }) => spec === image.spec))
    .filter(({ image }) => !hashes.has(image.sha256) && hashes.add(image.sha256))
    .map(({ image }) => image.spec);
}

function candidatesOf(
  { plan, kernels }: PlannedMatrix,
  watchOf: (sha: string) => string,
): Candidate[] {
  const scenarios = new Map(
    plan.scenarios.map((scenario) => [scenario.name, scenarioHash(scenario, sha256)]),
  );
  const images = new Map(kernels.map(({ image }) => [image.spec, image.sha256]));
  return plan.planned.flatMap(({ case: name, kernel, scenario }) => {
    const [hash, image] = [scenarios.get(scenario), images.get(kernel)];
    if (hash === undefined || image === undefined) return [];
    return [
      { case: name, watch: watchOf(image), kernel: image, scenario: { name: scenario, hash } },
    ];
  });
}

/** A night in which no kernel could be had: it runs nothing, and says so. */
function nothingToRun(
  night: Pick<PreparedNight, 'started' | 'unavailable' | 'oldLists' | 'variation'>,
  nights: number,
): PreparedNight {
  const input: NightInput = {
    candidates: [],
    looks: [],
    watches: watchesOf([], []),
    emulator: '',
    nights,
  };
  return { ...night, specs: [], scenarios: [], watched: [], newKernels: [], input, choices: [] };
}

/**
 * Kernels that a watch has for the first time, and those that it has come back to since it was last
 * looked at.
 */
function newKernelsOf(
  watched: PreparedNight['watched'],
  past: readonly KernelOfWatch[],
  choices: readonly Choice[],
): NewKernel[] {
  return watched.flatMap(({ sha256: hash, ...kernel }) => {
    const again = past.some(({ watch, sha256: other }) => watch === kernel.watch && other === hash);
    const changed = choices.some(
      ({ candidate, reason }) => candidate.kernel === hash && reason === 'changed',
    );
    return again && !changed ? [] : [{ ...kernel, again }];
  });
}

/** A watch whose kernel does not build, say, under the name that the user gave it. */
function withoutImage(
  { spec, reason }: NightSummary['unavailable'][number],
  kernels: readonly TonightsKernel[],
): NightSummary['unavailable'][number] {
  const watches = kernels.filter((kernel) => kernel.spec === spec);
  const commit = watches.find((kernel) => kernel.commit)?.commit;
  const name = watches.map(({ watch }) => watch).join(', ') || spec;
  const what = reason.startsWith(`${spec} `) ? `it${reason.slice(spec.length)}` : reason;
  return { spec: commit ? `${name}, ${commitText(commit)}` : name, reason: what };
}

/** A night's seed: its day as a number, e.g. 20260316, in UTC. */
function seedOf(started: Date): number {
  return Number(started.toISOString().slice(0, 10).replaceAll('-', ''));
}

/** Brings tonight's kernels and chooses what to run. */
export async function prepareNight({
  config,
  folder,
  jobs,
  store,
  signal,
}: NightSetting): Promise<PreparedNight> {
  const started = new Date();
  const { oldLists, ...found } = await tonightsKernels(config.kernels, signal);
  const variation = { seed: seedOf(started), onlyKaslr: true } as const;
  const night = {
    started,
    variation,
    unavailable: found.unavailable,
    ...(oldLists !== undefined && { oldLists }),
  };
  if (found.kernels.length === 0) return nothingToRun(night, config.nights);
  const scenarios = config.scenarios[0] === 'default' ? [] : config.scenarios;
  const request = { scenarios, jobs, variation, out: join(folder, nightParts[0]) };
  const specs = [...new Set(found.kernels.map(({ spec }) => spec))];
  const all = await planMatrix({ ...request, kernels: specs }, signal);
  const unavailable = [
    ...found.unavailable,
    ...all.unavailable.map((each) => withoutImage(each, found.kernels)),
  ];
  const kept = distinctSpecs(found.kernels, all);
  if (kept.length === 0) return nothingToRun({ ...night, unavailable }, config.nights);
  const matrix =
    kept.length === specs.length ? all : await planMatrix({ ...request, kernels: kept }, signal);

  const images = new Map(all.kernels.map(({ image }) => [image.spec, image]));
  const watched = found.kernels.flatMap(({ watch, spec, commit }) => {
    const image = images.get(spec);
    return image
      ? [{ watch, sha256: image.sha256, release: image.release, ...(commit && { commit }) }]
      : [];
  });
  const past = watchedKernels(store);
  const watchTonight = (hash: string): string =>
    watched.find((each) => each.sha256 === hash)?.watch ?? '';
  const input: NightInput = {
    candidates: candidatesOf(matrix, watchTonight),
    looks: readLooks(store, {
      kernels: [...new Set([...past, ...watched].map(({ sha256: hash }) => hash))],
    }),
    watches: watchesOf(past, watched),
    emulator: (await chooseEmulator(undefined)).sha256,
    nights: config.nights,
  };
  const choices = planNight(input);
  const newKernels = newKernelsOf(watched, past, choices);
  return { ...night, specs: kept, scenarios, unavailable, watched, newKernels, input, choices };
}

/** One run of the night: in the given order, into a folder of its own, and into the store. */
async function runPart(
  setting: NightSetting,
  night: PreparedNight,
  part: (typeof nightParts)[number],
  cases: readonly string[],
  enough: () => boolean,
): Promise<Look[]> {
  const { folder, jobs, store, signal } = setting;
  if (cases.length === 0 || signal.aborted) return [];
  const out = join(folder, part);
  const select = (planned: readonly PlannedCase[]): PlannedCase[] => {
    const byName = new Map(planned.map((each) => [each.case, each]));
    return cases.flatMap((name) => byName.get(name) ?? []);
  };
  const request = {
    kernels: night.specs,
    scenarios: night.scenarios,
    variation: night.variation,
    jobs,
    out,
    select,
    enough,
  };
  try {
    await runMatrix(request, signal);
  } finally {
    // However the run ended, what it did counts.
    if (existsSync(join(out, runFiles.run))) importRun(store, out);
  }
  await writeReportPage(out);
  return readLooks(store, { since: night.started.toISOString() }).filter(
    ({ run }) => run.folder === out,
  );
}

function coverageOf(
  setting: NightSetting,
  night: PreparedNight,
  looks: readonly Look[],
  ended: Date,
): Coverage {
  const { nights } = setting.config;
  const input = { ...night.input, looks: [...night.input.looks, ...looks] };
  const earlier = nightsOf(setting.store, setting.configPath).filter(
    ({ started }) => started < night.started.toISOString(),
  );
  // With fewer nights than that behind it, a night may count on whatever was run before.
  const since = nights === 1 ? night.started.toISOString() : (earlier[nights - 2]?.started ?? '');
  const covered = coveredSince(input, since);
  const total = input.candidates.length;
  const isFull = total > 0 && covered.length === total && night.unavailable.length === 0;
  const lastFull = isFull
    ? ended.toISOString()
    : earlier.find((row) => row.total && row.covered === row.total)?.ended;
  return {
    nights,
    total,
    covered: covered.length,
    missing: input.candidates.filter((each) => !covered.includes(each)).map((each) => each.case),
    ...(lastFull && { lastFull }),
  };
}

/** What was run of what was planned. */
function planOf(choices: readonly Choice[], tonight: readonly Look[]): NightSummary['plan'] {
  const run = new Set(tonight.map((look) => look.case));
  const entries = reasons.map((reason) => {
    const own = choices.filter((choice) => choice.reason === reason);
    return [
      reason,
      { planned: own.length, run: own.filter(({ candidate }) => run.has(candidate.case)).length },
    ] as const;
  });
  return Object.fromEntries(entries) as NightSummary['plan'];
}

/** Errors that no second attempt healed. */
function errorsOf(tonight: readonly Look[], again: readonly Look[]): NightSummary['errors'] {
  const healed = new Set(again.filter(tells).map((look) => look.case));
  return tonight
    .filter((look) => !tells(look) && !healed.has(look.case))
    .map((look) => ({ case: look.case, reason: look.reason ?? 'no reason given' }));
}

/**
 * Where the origin of the first new finding can be searched; bisect knows a scenario by its name
 * only if it is built in.
 */
function firstLead(
  fresh: readonly WatchedFinding[],
  all: readonly WatchedLooks[],
): Lead | undefined {
  const leads = fresh.flatMap((finding) => {
    const looks = all.find(({ watch }) => watch === finding.watch);
    return (looks && leadOf(finding, looks)) ?? [];
  });
  return leads.find(({ scenario }) => builtInScenario(scenario) !== undefined);
}

/**
 * Runs a prepared night: its cases until the time is over, then a second boot of what looks new and
 * of errors; and judges it.
 */
export async function runNight(setting: NightSetting, night: PreparedNight): Promise<NightSummary> {
  const { config, configPath, folder, store, signal } = setting;
  const unconfirmedBefore = lastUnconfirmed(nightsOf(store, configPath));
  rememberKernels(store, night.watched, night.started.toISOString());
  const id = beginNight(store, configPath, night.started.toISOString(), folder);
  const late = () => Date.now() - night.started.getTime() > config.budget * 1000;
  const first = await runPart(
    setting,
    night,
    'first',
    night.choices.map(({ candidate }) => candidate.case),
    late,
  );

  const { watches, looks: before } = night.input;
  const suspected = looksByWatch(watches, { before, tonight: first, again: [] });
  const confirm = casesToConfirm(suspected.flatMap((looks) => suspects(looks, unconfirmedBefore)));
  const failed = first.filter((look) => !tells(look)).map((look) => look.case);
  // Nothing is called a regression without a second boot, however late it is; errors may wait for
  // the next night.
  let begun = 0;
  const second = [...new Set([...confirm, ...failed])];
  const again = await runPart(
    setting,
    night,
    'again',
    second,
    () => ++begun > confirm.length && late(),
  );

  const watchedLooks = looksByWatch(watches, { before, tonight: first, again });
  const judgement = judgeNight(watchedLooks, unconfirmedBefore);
  const lead = firstLead(judgement.fresh, watchedLooks);
  const ended = new Date();
  const coverage = coverageOf(setting, night, [...first, ...again], ended);
  const { total, covered } = coverage;
  endNight(store, id, {
    ended: ended.toISOString(),
    total,
    covered,
    unconfirmed: judgement.unconfirmed,
  });
  return {
    started: night.started.toISOString(),
    ended: ended.toISOString(),
    judgement,
    cases: new Set([...first, ...again].filter(tells).map((look) => look.case)).size,
    errors: errorsOf(first, again),
    unavailable: night.unavailable,
    newKernels: night.newKernels,
    ...(lead && { lead }),
    ...(night.oldLists !== undefined && { oldLists: night.oldLists }),
    plan: planOf(night.choices, first),
    coverage,
    folders: nightRuns(folder),
    interrupted: signal.aborted,
  };
}

/** The name of a night's folder: its configuration and the second in which it begins. */
export function nightFolder(out: string, configPath: string): string {
  return join(out, `${basename(configPath).replace(/\.[^.]*$/, '')}-${timeStamp()}`);
}
