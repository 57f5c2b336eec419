// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../diff/boot-end.ts';
import { first, last, present } from '../present.ts';
import { kernelName } from './kernel-name.ts';
import { byKernel, bySeries, byTime } from './order-kernels.ts';
import type { Look, RunMark } from './types.ts';

/** A look as a point in the history of a finding. */
export interface LifePoint {
  run: RunMark;
  case: string;
  release: string;
  /** See kernelName(). */
  kernel: string;
}

/**
 * One kernel in the history of a finding, by the last look at each case that has shown the finding
 * in this series.
 */
export interface KernelLife {
  release: string;
  /** See kernelName(). */
  kernel: string;
  sha256: string;
  /** absent: looked at, and not found; unknown: no look got far enough to tell. */
  state: 'shown' | 'absent' | 'unknown';
  /** Cases that show it. */
  shown: string[];
  /** Cases that got far enough to tell. */
  looked: number;
  firstLook: LifePoint;
  lastLook: LifePoint;
}

/** A series of kernels that has shown the finding, oldest kernel first. */
export interface SeriesLife {
  series: string;
  /** gone: the newest kernel that was looked at does not show it. */
  state: 'there' | 'gone';
  kernels: KernelLife[];
  /** The first kernel after the last one that shows it, and the run that noticed this first. */
  goneSince?: LifePoint;
}

/** The same kernel and case gave two different answers. */
export interface Wavering {
  before: LifePoint;
  after: LifePoint;
  /** What the later look shows. */
  shown: boolean;
  /** What differed between the two looks; 'nothing' means that the finding is flaky. */
  because: 'scenario' | 'emulator' | 'ptdiff' | 'nothing';
}

/** First and last sighting of a finding, where it still shows, and where it is gone. */
export interface FindingLife {
  id: string;
  state: 'there' | 'gone';
  firstSeen: LifePoint;
  lastSeen: LifePoint;
  /** Known issues that it has matched, on any kernel. */
  known: string[];
  series: SeriesLife[];
  /** Series that never showed it, according to the looks that could have. */
  never: { series: string; kernels: number; looks: number }[];
  wavering: Wavering[];
}

const pointOf = ({ run, case: name, kernel }: Look): LifePoint => ({
  run,
  case: name,
  release: kernel.release,
  kernel: kernelName(kernel),
});

/** What changed between two looks at one case of one kernel. */
function whatChanged(before: Look, after: Look): Wavering['because'] {
  if (before.scenario.hash !== after.scenario.hash) return 'scenario';
  if (before.run.emulator.sha256 !== after.run.emulator.sha256) return 'emulator';
  return before.run.ptdiff === after.run.ptdiff ? 'nothing' : 'ptdiff';
}

/** Looks that can tell about the finding, for each scenario, in order of time. */
function telling(looks: readonly Look[], finding: string): Look[][] {
  const told = [...looks].sort(byTime).filter((look) => shows(look, finding) !== undefined);
  return [...Map.groupBy(told, ({ scenario }) => scenario.name).values()];
}

function kernelLife(looks: readonly Look[], finding: string): KernelLife {
  const newest = telling(looks, finding).map(last);
  const shown = newest.filter((look) => shows(look, finding)).map((look) => look.case);
  const { release, sha256 } = first(looks).kernel;
  const inTime = [...looks].sort(byTime);
  return {
    release,
    kernel: kernelName(last(looks).kernel),
    sha256,
    state: shown.length > 0 ? 'shown' : newest.length > 0 ? 'absent' : 'unknown',
    shown,
    looked: newest.length,
    firstLook: pointOf(first(inTime)),
    lastLook: pointOf(last(inTime)),
  };
}

/** The history in one series; undefined if the finding never showed there. */
function seriesLife(
  series: string,
  looks: readonly Look[],
  finding: string,
): SeriesLife | undefined {
  const scenarios = new Set(
    looks.filter((look) => shows(look, finding)).map(({ scenario }) => scenario.name),
  );
  if (scenarios.size === 0) return undefined;
  const groups = byKernel(looks.filter(({ scenario }) => scenarios.has(scenario.name)));
  const kernels = groups.map((group) => kernelLife(group, finding));
  const end = kernels.findLastIndex(({ state }) => state === 'shown');
  const next = kernels.findIndex(({ state }, index) => index > end && state === 'absent');
  if (next < 0) return { series, state: 'there', kernels };
  const gone = present(groups[next], 'group of looks')
    .filter((look) => shows(look, finding) === false)
    .sort(byTime);
  return { series, state: 'gone', kernels, goneSince: pointOf(first(gone)) };
}

function waveringOf(looks: readonly Look[], finding: string): Wavering[] {
  return byKernel(looks).flatMap((group) =>
    telling(group, finding).flatMap((told) =>
      told.slice(1).flatMap((after, index): Wavering[] => {
        const before = present(told[index], 'look before one');
        const shown = shows(after, finding) === true;
        if (shown === (shows(before, finding) === true)) return [];
        return [
          {
            before: pointOf(before),
            after: pointOf(after),
            shown,
            because: whatChanged(before, after),
          },
        ];
      }),
    ),
  );
}

/**
 * The history of a finding.
 * @param looks all looks at the scenarios that have ever shown it, on any kernel
 * @returns undefined when no look shows it
 */
export function findingLife(finding: string, looks: readonly Look[]): FindingLife | undefined {
  const seen = looks.filter((look) => shows(look, finding)).sort(byTime);
  if (seen.length === 0) return undefined;
  const groups = bySeries(looks);
  const series = groups.flatMap(([name, group]) => seriesLife(name, group, finding) ?? []);
  const shownIn = new Set(series.map(({ series: name }) => name));
  const never = groups
    .filter(([name]) => !shownIn.has(name))
    .map(([name, group]) => ({
      name,
      told: group.filter((look) => shows(look, finding) === false),
    }))
    .filter(({ told }) => told.length > 0)
    .map(({ name, told }) => ({
      series: name,
      kernels: byKernel(told).length,
      looks: told.length,
    }));
  const known = seen.flatMap((look) =>
    look.findings.flatMap(({ id, known }) => (id === finding && known ? [known] : [])),
  );
  return {
    id: finding,
    state: series.some(({ state }) => state === 'there') ? 'there' : 'gone',
    firstSeen: pointOf(first(seen)),
    lastSeen: pointOf(last(seen)),
    known: [...new Set(known)],
    series,
    never,
    wavering: waveringOf(looks, finding),
  };
}
