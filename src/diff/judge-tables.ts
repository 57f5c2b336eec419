// SPDX-License-Identifier: GPL-2.0-only
import { first } from '../present.ts';
import {
  type BootContext,
  type CheckpointContext,
  checkpointContext,
  type Invariant,
  rodataEnabled,
} from './context.ts';
import { invariantsOfTables } from './invariants/index.ts';
import { writeXorExecute } from './invariants/write-xor-execute.ts';
import { sizesOf } from './judge.ts';
import { type KnownIssue, withKnown } from './match-known.ts';
import type { CaseResult } from './types.ts';

/** The grade of such a board, in results. */
export const notPredicted = 'not predicted';

/** The facts about a board whose kernel nobody has: there are no symbols. */
export type TablesContext = Omit<BootContext, 'image'>;

/**
 * Judges the tables of a board whose kernel nobody has by what holds for every kernel and needs no
 * symbol of it. `pass` says that nothing of that is broken, and no more.
 * @param where release and scenario, for the known issues
 * @param invariants those that what is known of the board is enough for
 */
export function judgeTables(
  context: TablesContext,
  where: Parameters<typeof withKnown>[1],
  knownIssues: readonly KnownIssue[],
  invariants: readonly Invariant[] = invariantsOfTables,
): Pick<CaseResult, 'verdict' | 'findings' | 'linearMap'> {
  const capture = first(context.evidence.captures);
  // None of these rules asks for the image, but for one with rodata=off.
  const seen: CheckpointContext = checkpointContext(context as BootContext, capture);
  const rules = invariants.filter(
    (invariant) => invariant !== writeXorExecute || rodataEnabled(seen),
  );
  const findings = withKnown(
    rules.flatMap((invariant) => invariant(seen)),
    where,
    knownIssues,
  );
  const isKnown = findings.every(({ known }) => known !== undefined);
  return {
    verdict: findings.length === 0 ? 'pass' : isKnown ? 'known' : 'fail',
    findings,
    linearMap: { [capture.checkpoint]: sizesOf(seen) },
  };
}
