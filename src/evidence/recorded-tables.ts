// SPDX-License-Identifier: GPL-2.0-only
import type { RamReader } from '../vmsa/walk.ts';
import type { Recording } from './capture.ts';
import { type RecordedTable, RecordingReader } from './recording-reader.ts';

/** The linked tables of a recording by their addresses, as its reader has them at a moment. */
export function ramOf({ tables }: Pick<RecordingReader, 'tables'>): RamReader {
  const byPa = new Map<number, RecordedTable>();
  for (const table of tables.values()) byPa.set(table.pa, table);
  return {
    // A walk enters no table twice but through entries that lead to the same one.
    size: 2 ** 40,
    table: (pa, bytes) => {
      const words = byPa.get(pa)?.words;
      return words && words.byteLength >= bytes ? words.subarray(0, bytes / 4) : undefined;
    },
  };
}

/**
 * Reads a recording up to a moment.
 * @param bytes of events, as in Recording.moments
 * @throws PtdiffError('harness') for a damaged one
 */
export function tablesAt(
  { functions, ramBase, events }: Recording,
  bytes: number,
): RecordingReader {
  const reader = new RecordingReader(functions, ramBase);
  reader.read(events.subarray(0, bytes));
  return reader;
}
