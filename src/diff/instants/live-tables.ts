// SPDX-License-Identifier: GPL-2.0-only
import { nextTable, RecordedPlaces } from '../../evidence/recorded-places.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { type Geometry, geometryOf, levelShift } from '../../linux/geometry.ts';
import { present } from '../../present.ts';
import type { Granule, Level } from '../../vmsa/types.ts';
import { isLeaf } from './leaf-rights.ts';

/**
 * A virtual address without its bits 63:52, which say only which half it is in: a number, so that
 * every store can have one.
 */
export type Offset = number;

export const offsetOf = (va: bigint): Offset => Number(BigInt.asUintN(52, va));

/** An entry of a table, and its place. */
export interface Entry {
  table: RecordedTable;
  index: number;
  low: number;
  high: number;
}

/** The tables that are linked at one instant, and what they translate. */
export class LiveTables {
  readonly geometry: Geometry;
  /** By level + 1. */
  readonly #sizes: readonly number[];
  readonly #places = new RecordedPlaces();
  readonly #byPa = new Map<number, RecordedTable>();
  /** Of each table, by its number: the offset of its first entry. */
  readonly #offsets = new Map<number, Offset>();
  /** How many tables there are in each page. */
  readonly #pages = new Map<number, number>();

  constructor(granule: Granule) {
    const geometry = geometryOf(granule);
    this.geometry = geometry;
    this.#sizes = [-1, 0, 1, 2, 3].map((level) => 2 ** levelShift(geometry, level as Level));
  }

  link(table: RecordedTable): void {
    this.#places.linked(table);
    this.#byPa.set(table.pa, table);
    for (const page of this.pagesOf(table)) this.#pages.set(page, 1 + (this.#pages.get(page) ?? 0));
  }

  unlink(table: RecordedTable): void {
    if (this.#byPa.get(table.pa) === table) this.#byPa.delete(table.pa);
    this.#offsets.delete(table.id);
    for (const page of this.pagesOf(table)) {
      const left = (this.#pages.get(page) ?? 1) - 1;
      if (left === 0) this.#pages.delete(page);
      else this.#pages.set(page, left);
    }
  }

  /** Before a table changes. */
  stored(table: RecordedTable, index: number, low: number, high: number): void {
    if (table.level < 3) this.#places.stored(table, index, low, high);
  }

  /** Pages that a table is in. */
  *pagesOf({ pa, words }: RecordedTable): Generator<number> {
    const { granule } = this.geometry;
    const end = pa + words.byteLength;
    for (let page = pa - (pa % granule); page < end; page += granule) yield page;
  }

  /** Whether a page, by its physical address, holds a table. */
  isTablePage(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Bytes that one entry of a table translates. */
  size({ level }: RecordedTable): number {
    return this.#sizes[level + 1] as number;
  }

  /** Where the memory begins that an entry translates. */
  offset(table: RecordedTable, index: number): Offset {
    let first = this.#offsets.get(table.id);
    if (first === undefined) {
      first = offsetOf(this.#places.addressOf(table, 0, this.geometry));
      this.#offsets.set(table.id, first);
    }
    return first + index * this.size(table);
  }

  /** First virtual address that an entry translates. */
  address(table: RecordedTable, index: number): bigint {
    return this.#places.addressOf(table, index, this.geometry);
  }

  /** Bits 63:59 of the descriptors that lead to a table, ORed. */
  hierarchical(table: RecordedTable): number {
    return this.#places.tableAttributes(table);
  }

  all(): Iterable<RecordedTable> {
    return this.#byPa.values();
  }

  /**
   * The entry at which a walk of the kernel's half ends.
   * @param root physical address in TTBR1_EL1
   * @returns undefined where the recording does not have the tables
   */
  walk(root: number, offset: Offset): Entry | undefined {
    let table = this.#byPa.get(root);
    while (table !== undefined) {
      const { words, level } = table;
      const index = Math.floor(offset / this.size(table)) % (words.length / 2);
      const entry = entryOf(table, index);
      const next = nextTable(table, entry.low, entry.high);
      if (next === undefined || level === 3) return entry;
      table = this.#byPa.get(next);
    }
    return undefined;
  }
}

function entryOf(table: RecordedTable, index: number): Entry {
  const { words } = table;
  const low = present(words[2 * index], 'word');
  return { table, index, low, high: present(words[2 * index + 1], 'word') };
}

/** What is told of each leaf: its words, the lower one first. */
type LeafVisitor = (table: RecordedTable, index: number, low: number, high: number) => void;

/** The valid pages and blocks of a table. */
export function visitLeaves(table: RecordedTable, visit: LeafVisitor): void {
  const { words, level } = table;
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] as number;
    if (isLeaf(level, low)) visit(table, at / 2, low, words[at + 1] as number);
  }
}
