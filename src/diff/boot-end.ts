// SPDX-License-Identifier: GPL-2.0-only
import {
  type CheckpointName,
  checkpointNames,
  type EarlyEnd,
  earlyEnds,
  splitCheckpoints,
} from '../evidence/capture.ts';
import { depthOf } from '../scenario/depth.ts';
import { findingId } from './finding-id.ts';
import type { CaseResult } from './types.ts';

/** The parts of a result, or of a look, that show how far its boot got. */
interface ToldBoot extends Pick<CaseResult, 'verdict' | 'linearMap' | 'depth'> {
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

/** Whether a result is that of a boot that came as far as it was to go. */
function reachedItsDepth(result: Pick<ToldBoot, 'verdict' | 'findings'>): boolean {
  return result.verdict !== 'error' && !didNotComplete(result);
}

/** Whether a result is that of a boot that was seen to its end; an early one was not. */
export function isWhole(result: Pick<ToldBoot, 'verdict' | 'findings' | 'depth'>): boolean {
  return depthOf(result) === 'full' && reachedItsDepth(result);
}

const checkpointOf = (finding: string): CheckpointName | undefined =>
  checkpointNames.find((name) => finding.endsWith(`@${name}`));

/**
 * The checkpoint of a finding that this boot never reached, although it completed. A boot that did
 * not repaint the linear map does not have the checkpoints around a repaint, and nothing can be
 * wrong there.
 */
export function missedCheckpoint(
  { linearMap }: Pick<ToldBoot, 'linearMap'>,
  finding: string,
): string | undefined {
  const checkpoint = checkpointOf(finding);
  const isMissed =
    checkpoint && !splitCheckpoints.includes(checkpoint) && linearMap[checkpoint] === undefined;
  return isMissed ? checkpoint : undefined;
}

/**
 * Whether a result shows a finding. Undefined where it cannot tell: a boot that ended in an error,
 * did not complete or did not reach the finding's checkpoint may have ended before the finding
 * could show. An early boot tells of its checkpoints alone: what belongs to no checkpoint,
 * such as a complaint in the log, may come later.
 */
export function shows(result: ToldBoot, finding: string): boolean | undefined {
  if (result.findings.some(({ id }) => id === finding)) return true;
  if (depthOf(result) === 'early' && checkpointOf(finding) === undefined) return undefined;
  return reachedItsDepth(result) && !missedCheckpoint(result, finding) ? false : undefined;
}
