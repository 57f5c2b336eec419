// SPDX-License-Identifier: GPL-2.0-only
import { type Geometry, levelShift } from '../linux/geometry.ts';
import { isValid } from '../vmsa/descriptor.ts';
import type { Level } from '../vmsa/types.ts';
import { addressIn, nextTable } from './recorded-places.ts';
import type { RecordedTable } from './recording-reader.ts';

/** An entry of a table, and its place. */
export interface LinkedEntry {
  table: RecordedTable;
  index: number;
  low: number;
  high: number;
}

/** Tables by their addresses, as the events so far leave them. */
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

  all(): Iterable<RecordedTable> {
    return this.#byPa.values();
  }

  /**
   * The entry at which a walk ends: a leaf, or one that is not valid.
   * @param offset the virtual address, without its bits 63:52
   * @returns undefined where a table is not linked
   */
  walk(root: RecordedTable, geometry: Geometry, offset: number): LinkedEntry | undefined {
    for (let table: RecordedTable | undefined = root; table !== undefined; ) {
      const { words, level } = table;
      const size = 2 ** levelShift(geometry, level as Level);
      const index = Math.floor(offset / size) % (words.length / 2);
      const [low, high] = [words[2 * index] as number, words[2 * index + 1] as number];
      const next = nextTable(table, low, high);
      if (next === undefined) return { table, index, low, high };
      table = this.at(next);
    }
    return undefined;
  }

  /**
   * Physical address to which tables below a root map an address of TTBR1; undefined where they map
   * nothing.
   */
  translate(root: RecordedTable, geometry: Geometry, va: bigint): number | undefined {
    const offset = Number(BigInt.asUintN(52, va));
    const entry = this.walk(root, geometry, offset);
    if (entry === undefined || !isValid(entry)) return undefined;
    const size = 2 ** levelShift(geometry, entry.table.level as Level);
    const address = addressIn(entry.low, entry.high);
    return address - (address % size) + (offset % size);
  }
}
