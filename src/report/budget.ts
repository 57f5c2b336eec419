// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { Report } from './types.ts';
import { formatSeconds } from './units.ts';

/** Names that a sentence has room for. */
const mostNames = 5;

/** What the time of a run did not suffice for, in a sentence; none where it sufficed. */
export function describeBudget(
  { run, cases }: Pick<Report, 'run' | 'cases'>,
  { full }: { full: boolean },
): string[] {
  const { budget } = run.asked;
  const ended = new Set(cases.map((result) => result.case));
  const left = run.planned.map((planned) => planned.case).filter((name) => !ended.has(name));
  if (budget === undefined || run.ended === undefined || left.length === 0) return [];
  const named = full ? left : left.slice(0, mostNames);
  const more = left.length - named.length;
  const list = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return [
    `The budget of ${formatSeconds(budget)} left out ${countText(left.length, 'case')} of ${run.planned.length}: ${list}. The same command with the same --out runs them.`,
  ];
}
