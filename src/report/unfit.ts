import { countText } from '../diff/text.ts';
import type { UnfitCase } from './types.ts';

/** What the kernels of a run could not run, a sentence a reason. */
export function describeUnfit(unfit: readonly UnfitCase[]): string[] {
  return [...Map.groupBy(unfit, ({ reason }) => reason)].map(([reason, cases]) => {
    const names = (key: 'kernel' | 'scenario'): string => [...new Set(cases.map((each) => each[key]))].join(', ');
    return `${countText(cases.length, 'case')} left out, as ${reason}: ${names('scenario')} on ${names('kernel')}.`;
  });
}
