// SPDX-License-Identifier: GPL-2.0-only
import {
  checkpointNames,
  type EarlyEnd,
  earlyEnds,
  splitCheckpoints,
} from '../evidence/capture.ts';
import { findingId } from './finding-id.ts';
import type { CaseResult } from './types.ts';

/** What of a result, or of a look at one, tells how far its boot came. */
interface ToldBoot extends Pick<CaseResult, 'verdict' | 'linearMap'> {
  findings: readonly { id: string }[];
}

/** Id of the finding that a boot which ended so did not complete. */
export function bootEndId(end: EarlyEnd): string {
  return findingId('splat', ['boot', end]);
}

const endIds: ReadonlySet<string> = new Set(earlyEnds.map(bootEndId));

/** Whether a finding says that the boot did not complete. */
export function isBootEnd(id: string): boolean {
  return endIds.has(id);
}

/**
 * Whether the boot of a result ended before its init was ready; a known issue may own that, so the
 * verdict does not tell.
 */
export function didNotComplete({ findings }: Pick<ToldBoot, 'findings'>): boolean {
  return findings.some(({ id }) => isBootEnd(id));
}

/** Whether a result is that of a boot that was seen to its end. */
export function isWhole(result: Pick<ToldBoot, 'verdict' | 'findings'>): boolean {
  return result.verdict !== 'error' && !didNotComplete(result);
}

/**
 * The checkpoint of a finding that this boot never came to, although it completed. A boot that did
 * not repaint the linear map has not the checkpoints around a repaint, and nothing can be wrong
 * there.
 */
export function missedCheckpoint(
  { linearMap }: Pick<ToldBoot, 'linearMap'>,
  finding: string,
): string | undefined {
  const checkpoint = checkpointNames.find((name) => finding.endsWith(`@${name}`));
  const isMissed =
    checkpoint && !splitCheckpoints.includes(checkpoint) && linearMap[checkpoint] === undefined;
  return isMissed ? checkpoint : undefined;
}

/**
 * Whether a result shows a finding; undefined where it cannot tell: a boot that ended in an error,
 * did not complete or did not come to the checkpoint of the finding may have ended before the
 * finding could show.
 */
export function shows(result: ToldBoot, finding: string): boolean | undefined {
  if (result.findings.some(({ id }) => id === finding)) return true;
  return isWhole(result) && !missedCheckpoint(result, finding) ? false : undefined;
}
