// SPDX-License-Identifier: GPL-2.0-only
import { median as middleOf } from '../src/history/scenario-life.ts';
import { present } from '../src/present.ts';

/** One number of the benchmark, measured several times in one run, with its target. */
export interface Ratio {
  what: string;
  /** One value per round. */
  values: number[];
  /** Absent for a number that is only reported. */
  target?: { at: 'most' | 'least'; value: number };
}

/**
 * The middle one of an odd number of values; for an even number, the mean of the two in the middle.
 */
export function median(values: readonly number[]): number {
  return present(middleOf(values), 'measured value');
}

/** The values of each round, divided by the reference values of the same round. */
export function quotients(values: readonly number[], by: readonly number[]): number[] {
  return values.map((value, round) => value / present(by[round], `value of round ${round + 1}`));
}

/** `median (minimum-maximum)`, each with that many decimals. */
export function spread(values: readonly number[], decimals: number): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map(
    (value) => value.toFixed(decimals),
  );
  return `${middle} (${least}-${most})`;
}

/** One line: the ratio, its spread, its target, and whether the median meets it. */
export function formatRatio({ what, values, target }: Ratio): string {
  const middle = median(values);
  const told = `${what}: ${spread(values, middle >= 20 ? 0 : 2)} of ${values.length}`;
  if (target === undefined) return told;
  const kept = target.at === 'most' ? middle <= target.value : middle >= target.value;
  return `${told}; target: at ${target.at} ${target.value}, ${kept ? 'met' : 'MISSED'}`;
}
