// SPDX-License-Identifier: GPL-2.0-only
import { addressIn } from '../evidence/recorded-places.ts';
import type { RecordedTable } from '../evidence/recording-reader.ts';
import { isTable } from '../vmsa/descriptor.ts';

/** What is still to be done before a broken entry may be made again. */
export const missingSteps = [
  'a DSB between the break and the TLBI',
  'a TLBI',
  'a TLBI after the first DSB',
  'a DSB after the TLBI',
  'a TLBI whose hint is right',
  'a TLBI that reaches all CPUs',
  'a TLBI of every ASID',
  'a TLBI of walk caches, too',
] as const;
export type Missing = (typeof missingSteps)[number];

/** An entry that was broken, as long as a TLB may still hold what it was. */
export interface Broken {
  space: Space;
  /** Where it waits; undefined for an entry of a table that is no longer linked. */
  table: Table | undefined;
  index: number;
  /** First virtual address that it translates, in units of 4 KiB, and how many of them. */
  page: number;
  pages: number;
  level: number;
  /** What it was. */
  low: number;
  high: number;
  wasTable: boolean;
  /** The CPU that broke it. */
  cpu: number;
  /** Undefined once no TLB can hold it. */
  missing: Missing | undefined;
  /** A DSB for its own CPU alone came after the break. */
  orderedForItself: boolean;
  /** What is missing after the DSB that other CPUs need, if a TLBI came before it. */
  early: Missing | undefined;
  /** Contexts (see contexts.ts) whose translations no TLBI has reached; undefined: all. */
  left: number[] | undefined;
}

/** All tables below one root of user space, or those of the kernel. */
export interface Space {
  /** Contexts that may hold its translations. */
  held: ReadonlySet<number>;
  /** What tables that are no longer linked translated, by `keyOf()`. */
  loose: Map<number, Broken>;
  upper: boolean;
}

/** A linked table, and what waits in it. */
export interface Table {
  recorded: RecordedTable;
  space: Space;
  /** First virtual address, in units of 4 KiB, below 0 for the upper half. */
  page: number;
  /** What one entry translates, in units of 4 KiB. */
  unit: number;
  /** Broken entries by index, and how many they are. */
  pending: (Broken | undefined)[];
  waiting: number;
  isRoot: boolean;
  /** An entry that was valid when somebody asked. */
  valid: number;
}

/** By this an entry is found again in another table of the same place. */
export const keyOf = (page: number, level: number): number => page * 8 + level + 1;

export const pageAt = ({ page, unit }: Table, index: number): number => page + index * unit;

/** Where the linked tables are, and which virtual addresses they translate. */
export class Tables {
  readonly #byId: (Table | undefined)[] = [];
  readonly #byAddress = new Map<number, Table>();
  /** Where a table that is about to be linked belongs: the entry that leads to it. */
  readonly #expected = new Map<number, { parent: Table; index: number }>();
  #pageShift = 12;

  /** @param shift log2 of the granule in bytes */
  set pageShift(shift: number) {
    this.#pageShift = shift;
  }

  byId(id: number): Table | undefined {
    return this.#byId[id];
  }

  at(pa: number): Table | undefined {
    return this.#byAddress.get(pa);
  }

  /** Whether no entry of the table at an address is valid; false where there is none. */
  isEmpty(pa: number): boolean {
    const table = this.#byAddress.get(pa);
    if (table === undefined) return false;
    const { words } = table.recorded;
    const isValid = (index: number) => ((words[2 * index] as number) & 1) === 1;
    if (isValid(table.valid)) return false;
    for (let index = 0; 2 * index < words.length; index++) {
      if (!isValid(index)) continue;
      table.valid = index;
      return false;
    }
    return true;
  }

  /** @param spaceOf the space of a root */
  link(recorded: RecordedTable, spaceOf: (root: RecordedTable) => Space): Table {
    const place = this.#expected.get(recorded.pa);
    const unit = 2 ** (this.#pageShift - 12 + (this.#pageShift - 3) * (3 - recorded.level));
    const entries = recorded.words.length / 2;
    const table: Table = {
      recorded,
      space: place?.parent.space ?? spaceOf(recorded),
      page: place ? pageAt(place.parent, place.index) : recorded.upper ? -entries * unit : 0,
      unit,
      // Of full length from the beginning: V8 would make a dictionary of a long sparse one.
      pending: new Array(entries),
      waiting: 0,
      isRoot: place === undefined,
      valid: 0,
    };
    this.#expected.delete(recorded.pa);
    this.#byId[recorded.id] = table;
    this.#byAddress.set(recorded.pa, table);
    if (recorded.level < 3) for (let at = 0; at < entries; at++) this.#announce(table, at);
    return table;
  }

  unlink({ id, pa }: RecordedTable): Table | undefined {
    const table = this.#byId[id];
    this.#byId[id] = undefined;
    if (this.#byAddress.get(pa) === table) this.#byAddress.delete(pa);
    return table;
  }

  /** An entry leads to a table, which is the next one to be linked, or is linked already. */
  leadsTo(parent: Table, index: number, low: number, high: number): void {
    const pa = addressIn(low, high);
    const child = this.#byAddress.get(pa);
    if (child === undefined) this.#expected.set(pa, { parent, index });
    else if (child.recorded.level > parent.recorded.level) this.#move(child, pageAt(parent, index));
  }

  #announce(parent: Table, index: number): void {
    const { words, level } = parent.recorded;
    const low = words[2 * index] as number;
    if (isTable({ low }, level)) this.leadsTo(parent, index, low, words[2 * index + 1] as number);
  }

  /** A table that several entries lead to counts at the one that was seen last. */
  #move(table: Table, page: number): void {
    if (table.page === page) return;
    table.page = page;
    const entries = table.recorded.words.length / 2;
    if (table.recorded.level < 3) for (let at = 0; at < entries; at++) this.#announce(table, at);
  }
}
