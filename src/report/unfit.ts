// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { UnfitCase } from './types.ts';

const listedScenarios = 3;

/**
 * What the kernels of a run could not run, one sentence per reason; `full` names every scenario,
 * however many there are.
 */
export function describeUnfit(unfit: readonly UnfitCase[], { full }: { full: boolean }): string[] {
  return [...Map.groupBy(unfit, ({ reason }) => reason)].map(([reason, cases]) => {
    const unique = (key: 'kernel' | 'scenario'): string[] => [
      ...new Set(cases.map((each) => each[key])),
    ];
    const scenarios = unique('scenario');
    const named = full || scenarios.length <= listedScenarios;
    const which = named ? scenarios.join(', ') : countText(scenarios.length, 'scenario');
    return `${countText(cases.length, 'case')} left out, as ${reason}: ${which} on ${unique('kernel').join(', ')}.`;
  });
}
