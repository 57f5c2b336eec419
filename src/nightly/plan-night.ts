// SPDX-License-Identifier: GPL-2.0-only
import type { Look } from '../history/types.ts';
import { type Depth, depthOf, depths } from '../scenario/depth.ts';
import type { Watches } from './watches.ts';
import { tells } from './watches.ts';

/** A case of tonight's matrix. */
export interface Candidate {
  /** Its name tonight. */
  case: string;
  /** How its kernel was found: kernels of one watch follow each other. */
  watch: string;
  /** SHA-256 of the Image. */
  kernel: string;
  scenario: { name: string; hash: string };
  /** How far it is booted tonight. */
  depth: Depth;
}

/**
 * Why a case runs tonight, the most important reason first:
 * - `changed`: the kernel, scenario or emulator has changed since the watch was last looked at in
 *   this scenario;
 * - `never-run`: there is no earlier look at it;
 * - `error`: its last attempt ended in an error;
 * - `due`: its turn in the rotation.
 */
export type Reason = 'changed' | 'never-run' | 'error' | 'due';
export const reasons: readonly Reason[] = ['changed', 'never-run', 'error', 'due'];

/** A case that should run tonight. */
export interface Choice {
  candidate: Candidate;
  reason: Reason;
}

/** What a night needs to know. */
export interface NightInput {
  candidates: readonly Candidate[];
  /** Looks at all kernels that the watches have ever had, in order of time. */
  looks: readonly Look[];
  watches: Watches;
  /** SHA-256 of tonight's emulator. */
  emulator: string;
  /** Number of nights within which every case should be looked at. */
  nights: number;
}

/** The state of a case before the night. */
interface Standing {
  candidate: Candidate;
  reason: Reason;
  /** When it was last looked at, ISO 8601; '' for never. */
  since: string;
}

/** No part holds a NUL. */
const key = (...parts: string[]): string => parts.join('\0');

/** The same experiment on the same kernel by the same emulator. */
const sameCase = (kernel: string, hash: string, emulator: string): string =>
  key(kernel, hash, emulator);

/** Whether a look tells what a boot of a candidate would: an early one does not tell of all. */
const isDeepAs = (look: Look, depth: Depth): boolean =>
  depth === 'early' || depthOf(look) === 'full';

/** When each experiment was last looked at, and when it was last tried, both ISO 8601. */
function lastTimes(looks: readonly Look[]): {
  told: Map<string, string>;
  tried: Map<string, string>;
} {
  const times = { told: new Map<string, string>(), tried: new Map<string, string>() };
  for (const look of looks) {
    const place = sameCase(look.kernel.sha256, look.scenario.hash, look.run.emulator.sha256);
    const later = (map: Map<string, string>) => {
      if (look.run.started >= (map.get(place) ?? '')) map.set(place, look.run.started);
    };
    later(times.tried);
    if (tells(look)) later(times.told);
  }
  return times;
}

/** What each watch last ran: the experiment, by watch and name of the scenario. */
function lastExperiments(looks: readonly Look[], { nowOf }: Watches): Map<string, string> {
  return new Map(
    looks.flatMap(({ kernel, scenario, run }) => {
      const experiment = sameCase(kernel.sha256, scenario.hash, run.emulator.sha256);
      return nowOf(kernel.sha256).map((watch) => [key(watch, scenario.name), experiment] as const);
    }),
  );
}

/** What earlier looks say of candidates of one depth: of a full one early looks say nothing. */
function standingsOf({ candidates, looks, watches, emulator }: NightInput): Standing[] {
  const { told, tried } = lastTimes(looks);
  const telling = looks.filter(tells);
  const last = lastExperiments(telling, watches);
  const places = new Set(
    telling.flatMap(({ kernel, scenario }) =>
      watches.everOf(kernel.sha256).map((watch) => key(watch, scenario.name)),
    ),
  );
  return candidates.map((candidate) => {
    const { watch, kernel, scenario } = candidate;
    const same = sameCase(kernel, scenario.hash, emulator);
    const since = told.get(same);
    const attempt = tried.get(same);
    if (attempt !== undefined && attempt > (since ?? ''))
      return { candidate, reason: 'error', since: since ?? '' };
    const place = key(watch, scenario.name);
    if (since === undefined)
      return { candidate, reason: places.has(place) ? 'changed' : 'never-run', since: '' };
    // A branch may return to an earlier commit: a revert is also a change.
    return { candidate, reason: last.get(place) === same ? 'due' : 'changed', since };
  });
}

/** The input as far as candidates of one depth are concerned. */
const ofDepth = (input: NightInput, depth: Depth): NightInput => ({
  ...input,
  candidates: input.candidates.filter((candidate) => candidate.depth === depth),
  looks: input.looks.filter((look) => isDeepAs(look, depth)),
});

/** In the order of the candidates. */
function standings(input: NightInput): Standing[] {
  const all = depths.flatMap((depth) => standingsOf(ofDepth(input, depth)));
  const found = new Map(all.map((standing) => [standing.candidate, standing]));
  return input.candidates.flatMap((candidate) => found.get(candidate) ?? []);
}

/**
 * The cases of a night in the order in which they run until the time is up: everything that
 * changed, was never run or ended in an error, then as many of the others as are due, those first
 * whose last look is longest ago. If the nights are long enough for that, every case is looked at
 * within any `nights` consecutive nights.
 */
export function planNight(input: NightInput): Choice[] {
  const all = standings(input);
  const turn = Math.ceil(all.length / input.nights);
  const inTurn = all
    .filter(({ reason }) => reason === 'due')
    .sort((left, right) => (left.since === right.since ? 0 : left.since < right.since ? -1 : 1))
    .slice(0, turn);
  const urgent = all.filter(({ reason }) => reason !== 'due');
  urgent.sort((left, right) => reasons.indexOf(left.reason) - reasons.indexOf(right.reason));
  return [...urgent, ...inTurn].map(({ candidate, reason }) => ({ candidate, reason }));
}

/**
 * Cases of the matrix that have been looked at since a given time with tonight's kernel, scenario
 * and emulator, and at least as far.
 * @param since ISO 8601
 */
export function coveredSince(input: NightInput, since: string): Candidate[] {
  const covered = depths.flatMap((depth) => {
    const { candidates, looks, emulator } = ofDepth(input, depth);
    const { told } = lastTimes(looks);
    return candidates.filter(({ kernel, scenario }) => {
      const last = told.get(sameCase(kernel, scenario.hash, emulator));
      return last !== undefined && last >= since;
    });
  });
  return input.candidates.filter((candidate) => covered.includes(candidate));
}
