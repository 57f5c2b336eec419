// SPDX-License-Identifier: GPL-2.0-only
import type { Mutant } from './find-mutants.ts';

/**
 * What came of a mutant. `not passed`: no test comes by its place, or none for which its condition
 * has another truth. `did not run`: the tests could not even begin, which proves nothing.
 */
const outcomeNames = ['noticed', 'survived', 'not passed', 'did not run'] as const;
export type Outcome = (typeof outcomeNames)[number];

export interface Ending {
  outcome: Outcome;
  /** What noticed it, or why it did not run. */
  by?: string;
}

/** A mutant and what came of it. */
export interface Tried {
  mutant: Mutant;
  ending: Ending;
}

/** What a mutant is called from day to day: no line, which moves with every change above. */
export function keyOf({ file, within, from, to }: Mutant): string {
  const words = (text: string) => text.replaceAll(/\s+/g, ' ').trim();
  return `${file} ${within ?? '(at load)'}: ${words(from)} => ${words(to)}`;
}

const countOf = (tried: readonly Tried[], name: Outcome): number =>
  tried.filter(({ ending }) => ending.outcome === name).length;

/**
 * Counts by rule, and in all.
 * @param accepted reasons why mutants need not be noticed, by their keys
 */
export function summaryOf(tried: readonly Tried[], accepted: ReadonlyMap<string, string>): string {
  const groups = [...Map.groupBy(tried, ({ mutant }) => mutant.rule), ['all', [...tried]] as const];
  const line = ([rule, group]: readonly [string, readonly Tried[]]): string => {
    const counts = outcomeNames.map((name) => `${countOf(group, name)} ${name}`).join(', ');
    return `${rule}: ${group.length} mutants, ${counts}`;
  };
  const explained = tried.filter(
    ({ mutant, ending }) => ending.outcome !== 'noticed' && accepted.has(keyOf(mutant)),
  );
  return `${groups.map(line).join('\n')}\n${explained.length} of those that were not noticed need not be\n`;
}

/** A line for each mutant that was not noticed, with the reason where there is one. */
export function formatSurvivors(
  tried: readonly Tried[],
  accepted: ReadonlyMap<string, string>,
): string {
  return tried
    .filter(({ ending }) => ending.outcome !== 'noticed')
    .map(({ mutant, ending }) => {
      const reason = accepted.get(keyOf(mutant)) ?? ending.by;
      return `${ending.outcome}: ${keyOf(mutant)}${reason === undefined ? '' : `  [${reason}]`}\n`;
    })
    .toSorted()
    .join('');
}
