// SPDX-License-Identifier: GPL-2.0-only
import { notPredicted } from '../../../src/diff/judge-tables.ts';
import type { CaseResult } from '../../../src/diff/types.ts';

/**
 * The result of a board of which nothing is predicted.
 * @param release `uname -r`
 * @param started performance.now() when its judging began
 */
export function unpredictedResult(
  name: string,
  release: string,
  started: number,
  judged: Pick<CaseResult, 'verdict' | 'findings' | 'linearMap' | 'notes'>,
): CaseResult {
  return {
    case: name,
    kernel: { spec: release, release, flavour: '', sha256: '', generation: '' },
    scenario: name,
    depth: 'full',
    symbols: { grade: notPredicted },
    seconds: Math.round((performance.now() - started) / 10) / 100,
    ...judged,
  };
}
