// SPDX-License-Identifier: GPL-2.0-only
import { RecordedPlaces } from '../../evidence/recorded-places.ts';
import { type LinkedEntry, LinkedTables } from '../../evidence/recorded-tables.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { type Geometry, geometryOf, levelShift } from '../../linux/geometry.ts';
import { isLeaf } from '../../vmsa/descriptor.ts';
import type { Granule, Level } from '../../vmsa/types.ts';

/**
 * A virtual address without its bits 63:52, which say only which half it is in: a number, so that
 * every store can have one.
 */
export type Offset = number;

export const offsetOf = (va: bigint): Offset => Number(BigInt.asUintN(52, va));

/** The tables that are linked at one instant, and what they translate. */
export class LiveTables {
  readonly geometry: Geometry;
  /** By level + 1. */
  readonly #sizes: readonly number[];
  readonly #places = new RecordedPlaces();
  readonly #linked = new LinkedTables();
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
    this.#linked.linked(table);
    for (const page of this.pagesOf(table)) this.#pages.set(page, 1 + (this.#pages.get(page) ?? 0));
  }

  unlink(table: RecordedTable): void {
    this.#linked.unlinked(table);
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
    return this.#linked.all();
  }

  /**
   * The entry at which a walk of the kernel's half ends.
   * @param root physical address in TTBR1_EL1
   * @returns undefined where the recording does not have the tables
   */
  walk(root: number, offset: Offset): LinkedEntry | undefined {
    const table = this.#linked.at(root);
    return table && this.#linked.walk(table, this.geometry, offset);
  }
}

/** What is told of each leaf: its words, the lower one first. */
type LeafVisitor = (table: RecordedTable, index: number, low: number, high: number) => void;

/** The valid pages and blocks of a table. */
export function visitLeaves(table: RecordedTable, visit: LeafVisitor): void {
  const { words, level } = table;
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] as number;
    if (isLeaf({ low }, level)) visit(table, at / 2, low, words[at + 1] as number);
  }
}
