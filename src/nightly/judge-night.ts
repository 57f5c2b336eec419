// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../diff/boot-end.ts';
import { byTime } from '../history/order-kernels.ts';
import type { Look } from '../history/types.ts';
import { first } from '../present.ts';

/** A finding on the kernels of one watch. */
export interface WatchedFinding {
  watch: string;
  id: string;
  /**
   * Tonight's cases that show it; for a finding that is gone, the cases that showed it before and
   * no longer do.
   */
  cases: string[];
  /** The known issue that it matches. */
  known?: string;
  /** A second boot of one of the cases did not show it. */
  unsteady?: true;
}

/** What a night found, in comparison with the history. */
export interface NightJudgement {
  /**
   * Not documented, new for this watch, and shown by two boots: by the second boot of a case, or by
   * several cases.
   */
  fresh: WatchedFinding[];
  /** Like `fresh`, but only the first boot showed it. */
  flaky: WatchedFinding[];
  /** Like `fresh`, but no second boot could tell. */
  unconfirmed: WatchedFinding[];
  /** Not documented, and shown by this watch before. */
  still: WatchedFinding[];
  /** Documented as known issues. */
  known: WatchedFinding[];
  /** Shown before, but no longer by any case of this watch. */
  gone: WatchedFinding[];
}

/** Looks of the kernels of one watch. */
export interface WatchedLooks {
  watch: string;
  /** Before tonight. */
  before: readonly Look[];
  tonight: readonly Look[];
  /** Cases that were booted a second time to confirm the result of the first boot. */
  again: readonly Look[];
}

/** Findings of a watch that an earlier night could not confirm: they still count as new. */
export type Unconfirmed = readonly Pick<WatchedFinding, 'watch' | 'id'>[];

/** The last look at each scenario that can tell whether it shows the finding. */
function lastTelling(looks: readonly Look[], id: string): Map<string, Look> {
  const told = [...looks].sort(byTime).filter((look) => shows(look, id) !== undefined);
  return new Map(told.map((look) => [look.scenario.name, look]));
}

const showing = (looks: Iterable<Look>, id: string): Look[] =>
  [...looks].filter((look) => shows(look, id));

const idsOf = (looks: readonly Look[]): string[] =>
  [...new Set(looks.flatMap(({ findings }) => findings.map(({ id }) => id)))].sort();

const knownAs = (looks: readonly Look[], id: string): string | undefined =>
  looks
    .flatMap(({ findings }) => findings)
    .find((finding) => finding.id === id && finding.known !== undefined)?.known;

/** Looks that show a finding which no known issue explains. */
function undocumented(looks: readonly Look[], id: string): Look[] {
  return looks.filter(({ findings }) =>
    findings.some((finding) => finding.id === id && finding.known === undefined),
  );
}

const casesOf = (looks: readonly Look[]): string[] =>
  [...new Set(looks.map((look) => look.case))].sort();

/** Tonight's findings that the watch did not show before, with the cases that show them. */
export function suspects(
  { watch, before, tonight }: WatchedLooks,
  unconfirmed: Unconfirmed,
): WatchedFinding[] {
  return idsOf(tonight).flatMap((id) => {
    const own = undocumented(tonight, id);
    if (own.length === 0) return [];
    const open = unconfirmed.some((each) => each.watch === watch && each.id === id);
    const shownBefore = showing(lastTelling(before, id).values(), id).length > 0;
    return shownBefore && !open ? [] : [{ watch, id, cases: casesOf(own) }];
  });
}

/**
 * Cases to boot again, so that each suspect is in one of them: as few as a greedy selection finds.
 */
export function casesToConfirm(found: readonly WatchedFinding[]): string[] {
  const open = new Set(found);
  const chosen: string[] = [];
  while (open.size > 0) {
    const counts = new Map<string, number>();
    for (const { cases } of open)
      for (const each of cases) counts.set(each, (counts.get(each) ?? 0) + 1);
    const [best] = first(
      [...counts].sort(([left, a], [right, b]) => b - a || (left < right ? -1 : 1)),
    );
    chosen.push(best);
    for (const each of open) if (each.cases.includes(best)) open.delete(each);
  }
  return chosen;
}

/**
 * What the second boots say about a suspect. A finding that several cases showed is not an accident
 * of one boot, even if it does not show every time.
 */
function confirmation(
  { id, cases }: WatchedFinding,
  again: readonly Look[],
): { list: 'fresh' | 'flaky' | 'unconfirmed'; unsteady?: true } {
  const answers = again.filter((look) => cases.includes(look.case)).map((look) => shows(look, id));
  const unsteady = answers.includes(false) && { unsteady: true as const };
  if (answers.includes(true) || (unsteady && cases.length > 1))
    return { list: 'fresh', ...unsteady };
  return unsteady ? { list: 'flaky', ...unsteady } : { list: 'unconfirmed' };
}

function goneFrom({ watch, before, tonight, again }: WatchedLooks): WatchedFinding[] {
  return idsOf(before).flatMap((id) => {
    const then = showing(lastTelling(before, id).values(), id);
    if (then.length === 0) return [];
    const now = lastTelling([...before, ...tonight, ...again], id);
    if (showing(now.values(), id).length > 0) return [];
    const known = knownAs(then, id);
    const cases = casesOf(then.flatMap(({ scenario }) => now.get(scenario.name) ?? []));
    return [{ watch, id, cases, ...(known !== undefined && { known }) }];
  });
}

/** Compares what tonight showed with what each watch showed before. */
export function judgeNight(
  watches: readonly WatchedLooks[],
  unconfirmed: Unconfirmed,
): NightJudgement {
  const judgement: NightJudgement = {
    fresh: [],
    flaky: [],
    unconfirmed: [],
    still: [],
    known: [],
    gone: [],
  };
  for (const looks of watches) {
    const { watch, tonight, again } = looks;
    const suspected = suspects(looks, unconfirmed);
    for (const suspect of suspected) {
      const { list, ...how } = confirmation(suspect, again);
      judgement[list].push({ ...suspect, ...how });
    }
    for (const id of idsOf(tonight)) {
      const known = knownAs(tonight, id);
      const own = undocumented(tonight, id);
      if (known !== undefined) {
        const cases = casesOf(showing(tonight, id).filter((look) => !own.includes(look)));
        judgement.known.push({ watch, id, known, cases });
      }
      if (own.length > 0 && !suspected.some((suspect) => suspect.id === id)) {
        judgement.still.push({ watch, id, cases: casesOf(own) });
      }
    }
    judgement.gone.push(...goneFrom(looks));
  }
  return judgement;
}
