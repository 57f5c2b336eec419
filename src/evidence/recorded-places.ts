// SPDX-License-Identifier: GPL-2.0-only
import { type Geometry, levelShift } from '../linux/geometry.ts';
import { present } from '../present.ts';
import { isTable } from '../vmsa/descriptor.ts';
import type { Level } from '../vmsa/types.ts';
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
    for (const { index, pa } of nextTables(table)) this.#parents.set(pa, { table, index });
  }

  stored(table: RecordedTable, index: number, low: number, high: number): void {
    const next = nextTable(table, low, high);
    if (next !== undefined) this.#parents.set(next, { table, index });
  }

  /** First virtual address that an entry translates; for user space from 0 on. */
  addressOf(table: RecordedTable, index: number, geometry: Geometry): bigint {
    return BigInt.asUintN(64, BigInt(this.#signedAddress(table, index, geometry)));
  }

  /** Addresses of the upper half are negative: with their 52 bits each is exact as a number. */
  #signedAddress(table: RecordedTable, index: number, geometry: Geometry): number {
    const size = 2 ** levelShift(geometry, table.level as Level);
    const parent = this.#parents.get(table.pa);
    if (parent !== undefined && parent.table.level < table.level)
      return this.#signedAddress(parent.table, parent.index, geometry) + index * size;
    return (table.upper ? index - table.words.length / 2 : index) * size;
  }

  /** Bits 63:59 of the descriptors that lead to a table, ORed (DDI 0487 D8.4.3). */
  tableAttributes({ pa, level }: RecordedTable): number {
    const parent = this.#parents.get(pa);
    if (parent === undefined || parent.table.level >= level) return 0;
    const high = present(parent.table.words[2 * parent.index + 1], 'word');
    return (high >>> 27) | this.tableAttributes(parent.table);
  }
}

/** How many bytes one entry of a table translates. */
export function entrySize({ level }: RecordedTable, geometry: Geometry): bigint {
  return 1n << BigInt(levelShift(geometry, level as Level));
}

/** Physical address of the table that a descriptor leads to; undefined where it leads to none. */
export function nextTable({ level }: RecordedTable, low: number, high: number): number | undefined {
  return isTable({ low }, level) ? addressIn(low, high) : undefined;
}

/** The address that a descriptor holds: RAM is below 2^48, whatever LPA2 adds. */
export function addressIn(low: number, high: number): number {
  return (high & 0xffff) * 2 ** 32 + ((low & ~0xfff) >>> 0);
}

/** The entries of a table that lead to others, and the physical addresses of those. */
function* nextTables(table: RecordedTable): Generator<{ index: number; pa: number }> {
  if (table.level >= 3) return;
  for (let at = 0; at < table.words.length; at += 2) {
    const [low, high] = [table.words[at], table.words[at + 1]];
    const pa = nextTable(table, present(low, 'word'), present(high, 'word'));
    if (pa !== undefined) yield { index: at / 2, pa };
  }
}

/** The first entry that leads to a table which is not among these, and the address of that one. */
export function unknownTable(
  tables: Iterable<RecordedTable>,
): { table: RecordedTable; index: number; pa: number } | undefined {
  const all = [...tables];
  const known = new Set(all.map(({ pa }) => pa));
  for (const table of all)
    for (const next of nextTables(table)) if (!known.has(next.pa)) return { table, ...next };
  return undefined;
}
