// SPDX-License-Identifier: GPL-2.0-only
import { foldPairs } from '../../compare/fold.ts';
import type { Compared, PairComparison } from '../../compare/types.ts';
import { countText } from '../../diff/text.ts';
import { first } from '../../present.ts';
import { formatCount } from '../units.ts';
import { countDifferences } from './lines.ts';
import type { ComparisonReport } from './types.ts';

/** Totals over all pairs. */
export function totals(pairs: readonly PairComparison[]): Compared {
  const sum = (name: keyof Compared) =>
    pairs.reduce((total, { compared }) => total + compared[name], 0);
  return {
    checkpoints: sum('checkpoints'),
    leaves: sum('leaves'),
    decisions: sum('decisions'),
    registers: sum('registers'),
    probes: sum('probes'),
  };
}

/** How much was compared, e.g. '12 scenarios, 36 checkpoints, 1,204 leaves, …'. */
export function extent({ pairs }: ComparisonReport): string {
  const all = totals(pairs);
  const count = (value: number, one: string, many = `${one}s`) =>
    countText(value, one, many).replace(/^\d+/, formatCount(value));
  return [
    count(pairs.length, 'scenario'),
    count(all.checkpoints, 'checkpoint'),
    count(all.leaves, 'leaf', 'leaves'),
    count(all.decisions, 'decision'),
    count(all.registers, 'register'),
    count(all.probes, 'probe'),
  ].join(', ');
}

/** The outcome in one sentence. Something that was not compared does not count as unchanged. */
export function verdictLine(report: ComparisonReport): string {
  const { pairs } = report;
  if (pairs.length === 0) return 'Nothing could be compared.';
  const changed = pairs.filter(({ differences }) => differences.length > 0).length;
  if (changed === 0) return `No change in ${countText(pairs.length, 'scenario')}.`;
  const own = countDifferences(foldPairs(pairs));
  const changes =
    own > 0
      ? countText(own, 'difference')
      : 'Other differences from the model, but none in the kernels';
  if (pairs.length === 1) return `${changes} in ${first(pairs).name}.`;
  if (changed === pairs.length)
    return `${changes}; every one of ${countText(pairs.length, 'scenario')} shows some.`;
  return `${changes} in ${changed} of ${countText(pairs.length, 'scenario')}; no change in the other ${pairs.length - changed}.`;
}
