// SPDX-License-Identifier: GPL-2.0-only
import { type Geometry, levelShift, rootLevel } from '../linux/geometry.ts';
import type { Level } from '../vmsa/types.ts';

/**
 * Entry codes of an abstract table: nothing, a table below, or LEAF + index into the list of
 * attribute values.
 */
export const NONE = 0;
export const TABLE = 1;
const LEAF = 2;

/**
 * PROT_NS_SHARED, the top bit of the IPA space (arch/arm64/kernel/rsi.c): in a descriptor it is a
 * bit of the output address, and its position depends on the width of the space. The model keeps it
 * beside the 64 bits of the attributes.
 */
export const PROT_NS_SHARED = 1n << 64n;

/** Entries of one table that follow each other and are equal. */
export interface EntryRun {
  code: number;
  /** Index of the first of them. */
  first: number;
  count: number;
}

/** Level 3 has no tables below, and a terabyte in pages has half a million tables of level 3. */
const noTables: ReadonlyMap<number, Table> = new Map();

/**
 * One abstract translation table. Sixteen bits per entry are enough, since every leaf maps PA =
 * offset + memstart_addr. While all entries are equal, as they are in most tables of a large
 * machine, they are kept as one.
 */
export class Table {
  readonly level: Level;
  /** Offset in the linear region of the first byte that this table translates. */
  readonly offset: number;
  /** Bytes that one entry translates. */
  readonly entrySize: number;
  /** Tables below, by entry index; empty at level 3. */
  readonly tables: Map<number, Table>;
  /** The descriptor that points here, without its address; 0n for the root. */
  descriptor = 0n;
  /** How many entries it has. */
  readonly length: number;
  /** Absent while all of them are `#same`. */
  #entries: Uint16Array | undefined;
  #same = NONE;
  #runs: EntryRun[] | undefined;

  constructor(level: Level, offset: number, entrySize: number, length: number) {
    this.level = level;
    this.offset = offset;
    this.entrySize = entrySize;
    this.length = length;
    this.tables = level === 3 ? (noTables as Map<number, Table>) : new Map();
  }

  get entries(): ArrayLike<number> {
    return this.#spelt();
  }

  /** Code of an entry; `index` must be within the table. */
  at(index: number): number {
    return this.#entries === undefined ? this.#same : (this.#entries[index] as number);
  }

  /** The code of all entries, where they are kept as one. */
  get same(): number | undefined {
    return this.#entries === undefined ? this.#same : undefined;
  }

  set(index: number, code: number): void {
    this.assign(index, code);
  }

  /** What set() does, where a class adds to that. */
  assign(index: number, code: number): void {
    if (this.#entries === undefined && code === this.#same) return;
    this.#spelt()[index] = code;
    this.#runs = undefined;
  }

  fill(code: number): void {
    this.#entries = undefined;
    this.#same = code;
    this.#runs = undefined;
  }

  #spelt(): Uint16Array {
    this.#entries ??= new Uint16Array(this.length).fill(this.#same);
    return this.#entries;
  }

  /**
   * What is not NONE, in order; a table below is a run of its own. They are kept until an entry
   * changes: from one checkpoint to the next most tables stay as they are.
   */
  runs(): readonly EntryRun[] {
    if (this.#entries === undefined)
      return this.#same === NONE ? [] : [{ code: this.#same, first: 0, count: this.length }];
    this.#runs ??= runsOf(this.#entries);
    return this.#runs;
  }
}

function runsOf(entries: Uint16Array): EntryRun[] {
  const runs: EntryRun[] = [];
  for (let i = 0; i < entries.length; ) {
    const code = entries[i] as number;
    const first = i++;
    while (code !== TABLE && i < entries.length && entries[i] === code) i++;
    if (code !== NONE) runs.push({ code, first, count: i - first });
  }
  return runs;
}

function emptyRoot(geometry: Geometry, vaBits: number): Table {
  const level = rootLevel(geometry, vaBits);
  const entries = 2 ** (vaBits - levelShift(geometry, level));
  return new Table(level, 0, 2 ** levelShift(geometry, level), entries);
}

/**
 * The linear map as the model sees it: real tables with real descriptor bits, but without addresses
 * of their own. Offsets are bytes from the start of the linear region; since that start is aligned
 * to the whole region, an offset is aligned exactly as its virtual address is. All offsets stay
 * below 2^51 and are exact as numbers.
 */
export class LinearMap {
  readonly geometry: Geometry;
  /** First virtual address: _PAGE_OFFSET(vabits_actual). */
  readonly start: bigint;
  /** Physical address that the start of the region maps: __virt_to_phys(start). */
  readonly physBase: number;
  readonly root: Table;
  readonly #attributes: bigint[] = [];
  readonly #codes = new Map<bigint, number>();

  constructor(
    geometry: Geometry,
    vaBits: number,
    start: bigint,
    physBase: number,
    root = emptyRoot(geometry, vaBits),
  ) {
    this.geometry = geometry;
    this.start = start;
    this.physBase = physBase;
    this.root = root;
  }

  /** Code of a leaf entry with these attribute bits. */
  leaf(attributes: bigint): number {
    let code = this.#codes.get(attributes);
    if (code === undefined) {
      code = LEAF + this.#attributes.push(attributes) - 1;
      this.#codes.set(attributes, code);
    }
    return code;
  }

  /** Attribute bits of a leaf entry. */
  attributes(code: number): bigint {
    // Only leaf() hands out codes of leaves, and it stores their attributes.
    return this.#attributes[code - LEAF] as bigint;
  }

  isLeaf(code: number): boolean {
    return code >= LEAF;
  }

  /** Index in `table` of the entry that translates `offset`. */
  index(table: Table, offset: number): number {
    return Math.floor((offset - table.offset) / table.entrySize);
  }

  /** Code of an entry of `table`; `index` must be within it, as index() returns it. */
  entry(table: Table, index: number): number {
    return table.at(index);
  }

  /** Puts a new, empty table under an entry; the old entry is lost. */
  populate(parent: Table, index: number, descriptor: bigint): Table {
    const table = this.newTable(parent, index, descriptor);
    this.link(parent, index, table);
    return table;
  }

  /** An empty table for what an entry translates, which does not lead to it yet. */
  newTable(parent: Table, index: number, descriptor: bigint): Table {
    const entries = 2 ** this.geometry.tableBits;
    const offset = parent.offset + index * parent.entrySize;
    const level = (parent.level + 1) as Level;
    const table = new Table(level, offset, parent.entrySize / entries, entries);
    table.descriptor = descriptor;
    return table;
  }

  /** Lets an entry lead to a table of newTable(); the old entry is lost. */
  link(parent: Table, index: number, table: Table): void {
    parent.set(index, TABLE);
    parent.tables.set(index, table);
  }

  /** The descriptor of the table below an entry was rewritten: see RecordedMap. */
  rewrote(_parent: Table, _index: number): void {}

  /** flush_tlb_kernel_range() of offsets: see RecordedMap. A map alone has no TLB. */
  flush(_start: number, _end: number): void {}

  offsetOfVa(va: bigint): number {
    return Number(va - this.start);
  }

  offsetOfPa(pa: number): number {
    return pa - this.physBase;
  }
}

/**
 * Calls `visit` for every leaf entry of `from` and the tables below it that overlaps [start, end),
 * in ascending address; offsets in the linear region. A table with which `visit` replaces its leaf
 * is not entered.
 */
export function visitLeaves(
  from: Table,
  start: number,
  end: number,
  visit: (table: Table, index: number) => void,
): void {
  const size = from.entrySize;
  const first = Math.max(0, Math.floor((start - from.offset) / size));
  const last = Math.min(from.length, Math.ceil((end - from.offset) / size));
  for (let i = first; i < last; i++) {
    const entry = from.at(i);
    if (entry === TABLE) visitLeaves(from.tables.get(i) as Table, start, end, visit);
    else if (entry !== NONE) visit(from, i);
  }
}

/** `work` on codes of entries one after another: neighbours are mostly equal and get one answer. */
export function onceForNeighbours(work: (code: number) => number): (code: number) => number {
  let last = { code: NONE, answer: NONE };
  return (code) => {
    if (code !== last.code) last = { code, answer: work(code) };
    return last.answer;
  };
}
