// SPDX-License-Identifier: GPL-2.0-only
import { type Geometry, levelShift } from '../linux/geometry.ts';
import { isValid } from '../vmsa/descriptor.ts';
import type { Level } from '../vmsa/types.ts';
import type { RamReader } from '../vmsa/walk.ts';
import type { Recording } from './capture.ts';
import { addressIn, nextTable } from './recorded-places.ts';
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

/** Kernel tables by their addresses, as the events so far leave them. */
export class LinkedTables {
  readonly #byPa = new Map<number, RecordedTable>();

  linked(table: RecordedTable): void {
    this.#byPa.set(table.pa, table);
  }

  unlinked(table: RecordedTable): void {
    if (this.#byPa.get(table.pa) === table) this.#byPa.delete(table.pa);
  }

  at(pa: number): RecordedTable | undefined {
    return this.#byPa.get(pa);
  }

  /** A root that is smaller than its page may be anywhere in it. */
  rootIn(page: number, bytes: number): RecordedTable | undefined {
    for (let pa = page; pa < page + bytes; pa += 8) {
      const root = this.#byPa.get(pa);
      if (root) return root;
    }
    return undefined;
  }

  /**
   * Physical address to which tables below a root map an address of TTBR1; undefined where they map
   * nothing.
   */
  translate(root: RecordedTable, geometry: Geometry, va: bigint): number | undefined {
    for (let table = root; ; ) {
      const shift = BigInt(levelShift(geometry, table.level as Level));
      const entries = BigInt(table.words.length / 2);
      const at = 2 * Number((va >> shift) & (entries - 1n));
      const [low, high] = [table.words[at] ?? 0, table.words[at + 1] ?? 0];
      if (!isValid({ low })) return undefined;
      const next = nextTable(table, low, high);
      if (next === undefined) {
        const size = 2 ** Number(shift);
        const address = addressIn(low, high);
        return address - (address % size) + Number(va & ((1n << shift) - 1n));
      }
      const below = this.at(next);
      if (below === undefined) return undefined;
      table = below;
    }
  }
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
