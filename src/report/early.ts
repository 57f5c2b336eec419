// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { CaseResult } from '../diff/types.ts';
import { depthOf } from '../scenario/depth.ts';
import type { CaseDossier, RunRecord } from './types.ts';

/** Where an early boot ends, as the end of a sentence. */
export const earlyEndWords = 'at the return of smp_cpus_done()';

/** How far a case was booted, for a reader. */
export function depthWords(result: Pick<CaseResult, 'depth' | 'linearMap'>): string {
  if (result.linearMap.live !== undefined) return 'not by ptdiff: it was read in operation';
  return depthOf(result) === 'early' ? `early: it ended ${earlyEndWords}` : 'full';
}

/** What an early case did not look at, a line each, with the case that tells the same of it. */
export function notLookedAtLines({ notLookedAt = [] }: Pick<CaseDossier, 'notLookedAt'>): string[] {
  return notLookedAt.map(({ what, toldBy }) =>
    toldBy === undefined ? `${what}: no case of this run tells it` : `${what}: ${toldBy} tells it`,
  );
}

/**
 * What the early cases of a run did not look at, in a sentence or two; none where there are no
 * early cases.
 */
export function describeEarly({ planned }: Pick<RunRecord, 'planned'>): string[] {
  const early = planned.filter((each) => depthOf(each) === 'early');
  if (early.length === 0) return [];
  const untold = new Map<string, number>();
  for (const { what, toldBy } of early.flatMap(({ notLookedAt = [] }) => notLookedAt))
    if (toldBy === undefined) untold.set(what, (untold.get(what) ?? 0) + 1);
  const head = `${countText(early.length, 'case')} of ${planned.length} ended early, ${earlyEndWords}`;
  if (untold.size === 0)
    return [`${head}. What could differ later is told by cases that were booted in full.`];
  const list = [...untold].map(([what, count]) => `${what} (${countText(count, 'case')})`);
  return [`${head}. Nobody looked at what comes later: ${list.join(', ')}.`];
}
