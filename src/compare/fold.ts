// SPDX-License-Identifier: GPL-2.0-only
import { first } from '../present.ts';
import { aspects, type Difference, type DifferenceGroup, type PairComparison } from './types.ts';

/**
 * If one side does not have a variable, its code is written differently; that does not mean that it
 * behaves differently.
 */
const isAbsence = ({ aspect, a, b }: Difference): boolean =>
  aspect === 'variable' && [a, b].includes('absent');

/**
 * Lower is more important: how boots ended, then layout and permissions; an absent variable comes
 * after everything that the kernel does.
 */
const rank = (difference: Difference): number =>
  aspects.indexOf(difference.aspect) + (isAbsence(difference) ? 0.5 : 0);

const weight = ({ differences }: DifferenceGroup): number => Math.min(...differences.map(rank));

/**
 * The same difference seen in several scenarios, at every checkpoint where any of them shows it.
 */
function merge(differences: readonly Difference[]): Difference {
  const checkpoints = [...new Set(differences.flatMap((difference) => difference.checkpoints))];
  return { ...first(differences), checkpoints };
}

/**
 * Folds the differences of all pairs: each appears once, grouped with those that the same pairs
 * show. The most important group comes first; of two equally important groups, the one that more
 * pairs show. A difference that no pair shows is not listed, so an empty list means no change.
 */
export function foldPairs(pairs: readonly PairComparison[]): DifferenceGroup[] {
  const byKey = new Map<string, { differences: Difference[]; pairs: PairComparison[] }>();
  for (const pair of pairs) {
    for (const difference of pair.differences) {
      const entry = byKey.get(difference.key) ?? { differences: [], pairs: [] };
      entry.differences.push(difference);
      entry.pairs.push(pair);
      byKey.set(difference.key, entry);
    }
  }
  const groups = Map.groupBy(byKey.values(), (entry) =>
    entry.pairs.map(({ name }) => name).join('\n'),
  );
  return [...groups.values()]
    .map((entries) => ({
      names: first(entries).pairs.map(({ name }) => name),
      differences: entries
        .map(({ differences }) => merge(differences))
        .sort((left, right) => rank(left) - rank(right)),
      example: first(first(entries).pairs),
    }))
    .sort((left, right) => weight(left) - weight(right) || right.names.length - left.names.length);
}
