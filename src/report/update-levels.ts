// SPDX-License-Identifier: GPL-2.0-only
import type { BbmLevel } from '../bbm/needs-break.ts';
import type { UpdateRow } from '../diff/types.ts';

/** FEAT_BBM's levels, in the order of the columns. */
export const levels: readonly BbmLevel[] = [0, 1, 2, 3];

/** A change that level 2 allows, and that may nevertheless abort there (DDI 0487 D8.16.2). */
export function mayConflict({ counts }: Pick<UpdateRow, 'counts'>): boolean {
  return counts[0] > counts[2];
}

export const conflictNote =
  'What level 2 allows of these (size, contiguous bit) may end in a TLB conflict abort there, until the TLB is invalidated; from level 3 on it does not.';
