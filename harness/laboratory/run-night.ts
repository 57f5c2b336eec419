// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCaseLines, runFiles } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import {
  beginNight,
  endNight,
  lastUnconfirmed,
  nightsOf,
  rememberKernels,
} from '../../results/store/nights.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import type { Look } from '../../src/history/types.ts';
import {
  casesToConfirm,
  judgeNight,
  suspects,
  type WatchedFinding,
  type WatchedLooks,
} from '../../src/nightly/judge-night.ts';
import { type Lead, leadOf } from '../../src/nightly/lead.ts';
import { loneHosts } from '../../src/nightly/lone-hosts.ts';
import { type Choice, coveredSince, reasons } from '../../src/nightly/plan-night.ts';
import type { Coverage, NightSummary } from '../../src/nightly/summary.ts';
import { looksByWatch, tells } from '../../src/nightly/watches.ts';
import type { PlannedCase } from '../../src/report/types.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { exploreNight } from './explore/explore-night.ts';
import type { NightSetting, PreparedNight } from './prepare-night.ts';
import { type nightParts, nightRuns } from './recover-nights.ts';
import { writeReportPage } from './report-page.ts';
import { runMatrix } from './run-matrix.ts';

/** One run of the night: in the given order, into a separate folder, and into the store. */
async function runPart(
  setting: NightSetting,
  night: PreparedNight,
  part: (typeof nightParts)[number],
  cases: readonly string[],
  enough: () => boolean,
): Promise<Look[]> {
  const { folder, jobs, store, signal, farm } = setting;
  if (cases.length === 0 || signal.aborted) return [];
  const out = join(folder, part);
  const select = (planned: readonly PlannedCase[]): PlannedCase[] => {
    const byName = new Map(planned.map((each) => [each.case, each]));
    return cases.flatMap((name) => byName.get(name) ?? []);
  };
  const request = {
    kernels: night.specs,
    loaded: night.loaded,
    scenarios: night.scenarios,
    variation: night.variation,
    depth: 'planned' as const,
    jobs,
    out,
    select,
    enough,
    ...(farm && { farm, urgent: false as const }),
  };
  try {
    await runMatrix(request, signal);
  } finally {
    // Whatever the end of the run, its results count.
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
  // If there are fewer earlier nights than that, the night may count everything that was run
  // before.
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

/** How much of the plan was run. */
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

/** Errors that a second attempt did not resolve. */
function errorsOf(tonight: readonly Look[], again: readonly Look[]): NightSummary['errors'] {
  const healed = new Set(again.filter(tells).map((look) => look.case));
  return tonight
    .filter((look) => !tells(look) && !healed.has(look.case))
    .map((look) => ({ case: look.case, reason: look.reason ?? 'no reason given' }));
}

/**
 * Where to search for the origin of the first new finding; bisect knows a scenario by its name only
 * if it is built in.
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
 * Runs a prepared night: its cases until the time is up, then a second boot of what looks new and
 * of errors; then judges it.
 */
export async function runNight(setting: NightSetting, night: PreparedNight): Promise<NightSummary> {
  const { config, configPath, folder, store, signal } = setting;
  const unconfirmedBefore = lastUnconfirmed(nightsOf(store, configPath));
  rememberKernels(store, night.watched, night.started.toISOString());
  const id = beginNight(store, configPath, night.started.toISOString(), folder);
  // The rest of the budget is for machines made at random.
  const share = (100 - config.explore) / 100;
  const late = () => Date.now() - night.started.getTime() > share * config.budget * 1000;
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
  const explored = await exploreNight(setting, night, [...before, ...first, ...again]);
  const ended = new Date();
  const coverage = coverageOf(setting, night, [...first, ...again], ended);
  const { total, covered } = coverage;
  const lone = loneHosts(judgement, nightRuns(folder).flatMap(readCaseLines));
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
    ...(lone.length > 0 && { loneHosts: lone }),
    ...(lead && { lead }),
    ...(night.oldLists !== undefined && { oldLists: night.oldLists }),
    plan: planOf(night.choices, first),
    coverage,
    ...(explored && { explored }),
    folders: nightRuns(folder),
    interrupted: signal.aborted,
  };
}
