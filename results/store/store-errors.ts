// SPDX-License-Identifier: GPL-2.0-only
import { messageOf, PtdiffError } from '../../src/errors.ts';

/** Primary result codes of SQLite (sqlite.org/rescode.html) that have a message of their own. */
export const sqliteCodes = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** The primary result code of an error of node:sqlite; undefined for any other error. */
export function resultCodeOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  // The low byte of an extended code is the primary one.
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

const again = 'move it away and import the run folders again: ./ptdiff import results/runs/*';

const sentences: Record<number, string> = {
  [sqliteCodes.busy]:
    'another ptdiff has been writing to it for a minute; try again when it is done',
  [sqliteCodes.readOnly]: 'it cannot be written; name another by --store FILE or PTDIFF_STORE',
  [sqliteCodes.ioError]: 'the disk failed or is full; free some space and try again',
  [sqliteCodes.corrupt]: `it is damaged; ${again}`,
  [sqliteCodes.full]: 'no space left on the disk; free some and try again',
  [sqliteCodes.cannotOpen]:
    'it cannot be opened there; name another by --store FILE or PTDIFF_STORE',
  [sqliteCodes.notADatabase]: `it is no database; name another file, or ${again}`,
};

/** An error of SQLite as one sentence about the file; any other error unchanged. */
export function explainStoreError(error: unknown, path: string): unknown {
  if (error instanceof PtdiffError) return error;
  const code = resultCodeOf(error);
  if (code === undefined) return error;
  const sentence = sentences[code] ?? messageOf(error);
  return new PtdiffError('host', `Cannot use the results store ${path}: ${sentence}.`, {
    cause: error,
  });
}
