import type { CaseResult } from '../diff/types.ts';
import type { Outcome, Sign } from './types.ts';

/** What one booted case says of a sign. Only the very same finding counts: no other defect on the way may mislead. */
export function observe(
  result: Pick<CaseResult, 'verdict' | 'findings' | 'reason'>,
  sign: Sign,
): { outcome: Outcome; reason?: string } {
  const { verdict, findings } = result;
  const died = verdict === 'hang' || verdict === 'crash' || findings.some(({ id }) => /^splat\/boot\//.test(id));
  const unusable = { outcome: 'unusable', reason: result.reason ?? `The case ended in ${verdict}.` } as const;
  if ('finding' in sign) {
    if (findings.some(({ id }) => id === sign.finding)) return { outcome: 'present' };
    // A boot that ended early, or whose evidence is not whole, might have shown it later.
    return died || verdict === 'error' ? unusable : { outcome: 'absent' };
  }
  if (verdict === 'error') return unusable;
  if (sign.verdict === 'died') return { outcome: died ? 'present' : 'absent' };
  if (died) return unusable;
  return { outcome: verdict === 'fail' ? 'present' : 'absent' };
}
