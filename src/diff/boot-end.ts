// SPDX-License-Identifier: GPL-2.0-only
import {
  checkpointNames,
  type EarlyEnd,
  earlyEnds,
  splitCheckpoints,
} from '../evidence/capture.ts';
import { findingId } from './finding-id.ts';
import type { CaseResult } from './types.ts';

/** The parts of a result, or of a look, that show how far its boot got. */
interface ToldBoot extends Pick<CaseResult, 'verdict' | 'linearMap'> {
  findings: readonly { id: string }[];
}

/** Id of the finding that a boot did not complete, by how it ended. */
export function bootEndId(end: EarlyEnd): string {
  return findingId('splat', ['boot', end]);
}

const endIds: ReadonlySet<string> = new Set(earlyEnds.map(bootEndId));

/** Whether a finding says that the boot did not complete. */
export function isBootEnd(id: string): boolean {
  return endIds.has(id);
}

/**
 * Whether the boot of a result ended before its init was ready. The verdict does not show that,
 * since a known issue may cover it.
 */
export function didNotComplete({ findings }: Pick<ToldBoot, 'findings'>): boolean {
  return findings.some(({ id }) => isBootEnd(id));
}

/** Whether a result comes from a boot that completed. */
export function isWhole(result: Pick<ToldBoot, 'verdict' | 'findings'>): boolean {
  return result.verdict !== 'error' && !didNotComplete(result);
}

/**
 * The checkpoint of a finding that this boot never reached, although it completed. A boot that did
 * not repaint the linear map does not have the checkpoints around a repaint, and nothing can be
 * wrong there.
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
 * Whether a result shows a finding. Undefined where it cannot tell: a boot that ended in an error,
 * did not complete or did not reach the finding's checkpoint may have ended before the finding
 * could show.
 */
export function shows(result: ToldBoot, finding: string): boolean | undefined {
  if (result.findings.some(({ id }) => id === finding)) return true;
  return isWhole(result) && !missedCheckpoint(result, finding) ? false : undefined;
}
