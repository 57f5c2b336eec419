// SPDX-License-Identifier: GPL-2.0-only
import type { RunRecord } from './types.ts';

/** That a run was cut short before its plan was whole, in a sentence; none where it was. */
export function describeAwaited({ awaited = [] }: Pick<RunRecord, 'awaited'>): string[] {
  if (awaited.length === 0) return [];
  return [
    `The run has not fetched ${awaited.join(', ')} yet, and cases that depend on this are not planned. The same command with the same --out goes on.`,
  ];
}
