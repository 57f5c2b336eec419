// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../diff/boot-end.ts';
import type { CaseResult } from '../diff/types.ts';
import type { NightJudgement } from './judge-night.ts';

/** A finding of a night on a farm that one host alone has shown. */
export interface LoneHost {
  id: string;
  /** Label of the worker. */
  worker: string;
  /** Workers that booted one of its cases, and did not find it; none where nobody else tried. */
  others: string[];
}

/** What a night needs of a result to tell who found what. */
export type RanBy = Pick<CaseResult, 'case' | 'verdict' | 'findings' | 'linearMap' | 'worker'>;

/**
 * Findings without a known issue that all boots of one worker alone have shown tonight: that host
 * may be at fault, rather than the kernel. A night in one process has no workers, and none.
 */
export function loneHosts(judgement: NightJudgement, results: readonly RanBy[]): LoneHost[] {
  const { fresh, flaky, unconfirmed, still } = judgement;
  const found = Map.groupBy([...fresh, ...flaky, ...unconfirmed, ...still], ({ id }) => id);
  return [...found].flatMap(([id, findings]) => {
    const cases = new Set(findings.flatMap((finding) => finding.cases));
    const boots = results.filter((result) => cases.has(result.case));
    const workers = (answer: boolean) => [
      ...new Set(
        boots.filter((result) => shows(result, id) === answer).map(({ worker }) => worker),
      ),
    ];
    const [worker, another] = workers(true);
    if (worker === undefined || another !== undefined || workers(true).length > 1) return [];
    const others = workers(false).flatMap((other) =>
      other === undefined || other === worker ? [] : [other],
    );
    return [{ id, worker, others: others.sort() }];
  });
}
