// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult, Verdict } from '../diff/types.ts';

/** How a verdict is shown: never by colour alone. */
interface VerdictStyle {
  /** One column of a table in a terminal. */
  letter: string;
  /** For the page. */
  symbol: string;
  /** Its meaning, for a legend. */
  meaning: string;
  /** SGR parameters of a terminal (ECMA-48 8.3.117). */
  sgr: string;
}

/** In the order in which a reader should look at them. */
export const verdictStyles: Record<Verdict, VerdictStyle> = {
  fail: {
    letter: 'F',
    symbol: '✗',
    meaning: 'at least one finding that no known issue explains',
    sgr: '1;31',
  },
  crash: { letter: 'C', symbol: 'C', meaning: 'the kernel died', sgr: '1;31' },
  hang: { letter: 'H', symbol: 'H', meaning: 'the kernel stopped making progress', sgr: '1;35' },
  error: {
    letter: 'E',
    symbol: '!',
    meaning: 'harness, emulator or host failed: says nothing of the kernel',
    sgr: '1;33',
  },
  known: {
    letter: 'K',
    symbol: '≈',
    meaning: 'every finding matches a documented known issue',
    sgr: '36',
  },
  pass: { letter: 'P', symbol: '✓', meaning: 'evidence equals the prediction', sgr: '32' },
};

/** All verdicts, worst first. */
export const verdictOrder = Object.keys(verdictStyles) as Verdict[];

/** How many cases ended in each verdict. */
export function countVerdicts(
  cases: readonly Pick<CaseResult, 'verdict'>[],
): Record<Verdict, number> {
  const counts: Record<Verdict, number> = {
    pass: 0,
    fail: 0,
    known: 0,
    hang: 0,
    crash: 0,
    error: 0,
  };
  for (const { verdict } of cases) counts[verdict]++;
  return counts;
}

/** '3 fail, 1 known, 116 pass': the verdicts that occur, worst first. */
export function describeCounts(counts: Record<Verdict, number>): string {
  const parts = verdictOrder
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdict}`);
  return parts.join(', ') || 'no case has ended';
}
