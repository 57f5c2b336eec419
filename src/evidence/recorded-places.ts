// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { RecordedTable } from './recording-reader.ts';

/** The entry of a table that leads to another one. */
interface Parent {
  table: RecordedTable;
  index: number;
}

/**
 * Which virtual addresses the tables of a recording translate. A table that several entries lead to
 * counts at the one that was seen last.
 */
export class RecordedPlaces {
  readonly #parents = new Map<number, Parent>();

  /** A table that is linked: its own entries tell where the next ones are. */
  linked(table: RecordedTable): void {
    for (let index = 0; index < table.words.length / 2; index++)
      this.stored(
        table,
        index,
        present(table.words[2 * index], 'word'),
        present(table.words[2 * index + 1], 'word'),
      );
  }

  stored(table: RecordedTable, index: number, low: number, high: number): void {
    const next = nextTable(table, low, high);
    if (next !== undefined) this.#parents.set(next, { table, index });
  }

  /** First virtual address that an entry translates; for user space from 0 on. */
  addressOf(table: RecordedTable, index: number, granuleShift: number): bigint {
    const entry = BigInt(index) << entryShift(table.level, granuleShift);
    const parent = this.#parents.get(table.pa);
    if (parent !== undefined && parent.table.level < table.level)
      return this.addressOf(parent.table, parent.index, granuleShift) + entry;
    if (!table.upper) return entry;
    const reach = BigInt(table.words.length / 2) << entryShift(table.level, granuleShift);
    return (1n << 64n) - reach + entry;
  }
}

/** How many bits of an address one entry of a level leaves to the next levels (DDI 0487 D8.2). */
export function entryShift(level: number, granuleShift: number): bigint {
  return BigInt(granuleShift + (3 - level) * (granuleShift - 3));
}

/** Physical address of the table that a descriptor leads to; undefined where it leads to none. */
export function nextTable(table: RecordedTable, low: number, high: number): number | undefined {
  if (table.level >= 3 || (low & 3) !== 3) return undefined;
  return (high & 0xffff) * 2 ** 32 + ((low & ~0xfff) >>> 0);
}

/** The first entry that leads to a table which is not among these, and the address of that one. */
export function unknownTable(
  tables: Iterable<RecordedTable>,
): { table: RecordedTable; index: number; pa: number } | undefined {
  const all = [...tables];
  const known = new Set(all.map(({ pa }) => pa));
  for (const table of all) {
    if (table.level >= 3) continue;
    for (let at = 0; at < table.words.length; at += 2) {
      const pa = nextTable(
        table,
        present(table.words[at], 'word'),
        present(table.words[at + 1], 'word'),
      );
      if (pa !== undefined && !known.has(pa)) return { table, index: at / 2, pa };
    }
  }
  return undefined;
}
