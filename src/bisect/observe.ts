// SPDX-License-Identifier: GPL-2.0-only
import { didNotComplete, isWhole, missedCheckpoint, shows } from '../diff/boot-end.ts';
import type { CaseResult } from '../diff/types.ts';
import type { Outcome, Sign } from './types.ts';

/**
 * What one booted case says about a sign. Only the identical finding counts, so that other defects
 * along the way cannot mislead.
 */
export function observe(
  result: Pick<CaseResult, 'verdict' | 'findings' | 'linearMap' | 'reason'>,
  sign: Sign,
): { outcome: Outcome; reason?: string } {
  const { verdict } = result;
  const died = didNotComplete(result);
  const unusable = {
    outcome: 'unusable',
    reason: result.reason ?? `The case ended in ${verdict}.`,
  } as const;
  if ('finding' in sign) {
    const shown = shows(result, sign.finding);
    if (shown !== undefined) return { outcome: shown ? 'present' : 'absent' };
    const missed = isWhole(result) ? missedCheckpoint(result, sign.finding) : undefined;
    return missed
      ? { ...unusable, reason: `The boot did not reach the checkpoint ${missed}.` }
      : unusable;
  }
  if (verdict === 'error') return unusable;
  if (sign.verdict === 'died') return { outcome: died ? 'present' : 'absent' };
  if (died) return unusable;
  return { outcome: verdict === 'fail' ? 'present' : 'absent' };
}
