// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { type Geometry, levelShift } from '../../linux/geometry.ts';
import { LinearMap, NONE, PROT_NS_SHARED, TABLE, type Table } from '../../model/linear-map.ts';
import type { Operation, OperationState, Registers, WholeMap } from '../../model/operation.ts';
import { present } from '../../present.ts';
import { isTable } from '../../vmsa/descriptor.ts';
import {
  attributeMaskLow,
  type DescriptorLayout,
  descriptorLayouts,
  join,
  nextTable,
  outputAddress,
  split,
  tableDescriptorAttributes,
} from '../../vmsa/descriptor-layout.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import type { Level } from '../../vmsa/types.ts';
import { MirrorTable, type Place, type Step, UnknownTable } from './mirror-table.ts';

/** What a recorded map is made of. */
export interface MapSource {
  geometry: Geometry;
  regime: Stage1Regime;
  /** Physical address of offset 0 of the linear map. */
  physBase: number;
  /** In a realm, the address bit of shared memory, as a number; 0 elsewhere. */
  aliasBit: number;
  /** The linked table at a physical address. */
  tableAt(pa: number): RecordedTable | undefined;
}

/**
 * The tables below one root of a recording, as the model sees tables: its own functions run on them.
 * They follow the recording store by store (follow()); what a function of the model does to them is
 * noted and undone (predict()). Tables are read when they are first needed.
 */
export class RecordedMap extends LinearMap implements WholeMap {
  override physBase: number;
  readonly #source: MapSource;
  readonly #layouts: Map<Level, DescriptorLayout>;
  readonly #mirrors = new Map<number, MirrorTable>();
  #steps: Step[] | undefined;
  /** The last one that was asked for; until any entry leads to another table than before. */
  #lastPages: { table: Table; offset: number; end: number } | undefined;
  /** By code: the two words of a leaf without its address, and whether it is shared. */
  readonly #words: { low: number; high: number; shared: boolean }[] = [];
  readonly #last = { low: 0, high: 0, shared: false, code: NONE };

  constructor(source: MapSource, root: RecordedTable) {
    const { geometry, physBase, regime } = source;
    const shift = levelShift(geometry, root.level as Level);
    const entries = root.words.length / 2;
    const vaBits = shift + Math.log2(entries);
    const start = root.upper ? 2n ** 64n - 2n ** BigInt(vaBits) : 0n;
    const place = { level: root.level as Level, offset: 0, entrySize: 2 ** shift, entries };
    // The root is read below: it needs what this class adds.
    super(geometry, vaBits, start, physBase);
    this.#source = source;
    this.#layouts = descriptorLayouts({ ...regime, startLevel: root.level as Level });
    this.physBase = physBase;
    this.root = this.#mirror(place, root);
  }

  override root: MirrorTable;

  get regime(): Stage1Regime {
    return this.#source.regime;
  }

  layoutOf(level: Level): DescriptorLayout {
    return present(this.#layouts.get(level), `layout of level ${level}`);
  }

  /** The mirror of a table of the recording; undefined where it is not needed so far. */
  mirrorOf({ id }: RecordedTable): MirrorTable | undefined {
    return this.#mirrors.get(id);
  }

  /** Before a store of the recording. */
  follow(table: RecordedTable, index: number, low: number, high: number): void {
    const mirror = this.#mirrors.get(table.id);
    if (mirror === undefined) return;
    const old = mirror.entries[index];
    const code = this.codeOf(mirror.layout, low, high);
    if (old === TABLE) {
      this.#lastPages = undefined;
      const { layout } = mirror;
      const [was, wasHigh] = [table.words[2 * index] ?? 0, table.words[2 * index + 1] ?? 0];
      const below = mirror.tables.has(index) ? mirror.tables.get(index) : undefined;
      const stays = nextTable(layout, was, wasHigh) === nextTable(layout, low, high);
      if (code === TABLE && stays && below)
        below.descriptor = tableDescriptorAttributes(layout, low, high);
      else mirror.tables.delete(index);
    }
    mirror.assign(index, code);
  }

  /** A table that no entry leads to any more. */
  forget({ id }: RecordedTable): void {
    this.#lastPages = undefined;
    this.#mirrors.delete(id);
  }

  /**
   * What an operation does to the tables, which stay as they are, and what it returns.
   * @throws PredictedBug, or UnknownTable where it needs one that the recording does not have
   */
  predict(
    model: Operation,
    state: OperationState,
    args: Registers,
  ): { steps: Step[]; answer: number | undefined; physBase: number } {
    const steps: Step[] = [];
    this.#steps = steps;
    try {
      const answer = model.run(state, args);
      return { steps, answer, physBase: this.physBase };
    } finally {
      this.physBase = this.#source.physBase;
      this.#steps = undefined;
      for (let at = steps.length - 1; at >= 0; at--) this.#undo(steps[at] as Step);
    }
  }

  #undo(step: Step): void {
    if (step.flush) return;
    const { table, index, old, code } = step;
    if (code === TABLE && old === TABLE) {
      const words = present(table.recorded, 'recorded table').words;
      const below = present(table.tables.get(index), 'table below');
      const [low, high] = [words[2 * index] ?? 0, words[2 * index + 1] ?? 0];
      below.descriptor = tableDescriptorAttributes(table.layout, low, high);
      return;
    }
    if (code === TABLE) table.tables.delete(index);
    table.assign(index, old);
  }

  note(step: Step): void {
    this.#steps?.push(step);
  }

  override newTable(parent: Table, index: number, descriptor: bigint): MirrorTable {
    const entries = 2 ** this.geometry.tableBits;
    const entrySize = parent.entrySize / entries;
    const offset = parent.offset + index * parent.entrySize;
    const level = (parent.level + 1) as Level;
    const table = new MirrorTable(this, { level, offset, entrySize, entries });
    table.descriptor = descriptor;
    return table;
  }

  override link(parent: MirrorTable, index: number, table: MirrorTable): void {
    const old = parent.entries[index] as number;
    const entries = Array.from(table.entries);
    if (parent.live)
      this.note({ table: parent, index, old, code: TABLE, link: { table, entries } });
    table.live = parent.live;
    parent.assign(index, TABLE);
    parent.tables.set(index, table);
  }

  override rewrote(table: MirrorTable, index: number): void {
    this.note({ table, index, old: TABLE, code: TABLE });
  }

  override flush(start: number, end: number): void {
    this.note({ flush: { start, end } });
  }

  pageTable(offset: number): Table | undefined {
    const last = this.#lastPages;
    if (last && offset >= last.offset && offset < last.end) return last.table;
    let table: Table | undefined = this.root;
    while (table && table.level < 3) {
      const index: number = this.index(table, offset);
      table = this.entry(table, index) === TABLE ? table.tables.get(index) : undefined;
    }
    if (table === undefined) return undefined;
    const end = table.offset + table.entries.length * table.entrySize;
    this.#lastPages = { table, offset: table.offset, end };
    return table;
  }

  leafAt(offset: number): { attributes: bigint; pa: number } | undefined {
    let table: Table | undefined = this.root;
    if (offset < 0 || offset >= table.entrySize * table.entries.length) return undefined;
    for (;;) {
      const index: number = this.index(table, offset);
      const code = this.entry(table, index);
      if (code === NONE) return undefined;
      if (code === TABLE) {
        table = present(table.tables.get(index), 'table below');
        continue;
      }
      const { layout, recorded } = table as MirrorTable;
      const words = present(recorded, 'recorded table').words;
      const pa = this.addressOf(layout, words[2 * index] ?? 0, words[2 * index + 1] ?? 0);
      const within = offset - table.offset - index * table.entrySize;
      return { attributes: this.attributes(code), pa: pa + within };
    }
  }

  /** Output address of a leaf, without the bit of shared memory. */
  addressOf(layout: DescriptorLayout, low: number, high: number): number {
    const pa = outputAddress(layout, low, high);
    const { aliasBit } = this.#source;
    return aliasBit !== 0 && pa >= aliasBit ? pa - aliasBit : pa;
  }

  /** Code of an entry by its descriptor. */
  codeOf(layout: DescriptorLayout, low: number, high: number): number {
    if ((low | high) === 0) return NONE;
    if (isTable({ low }, layout.level)) return TABLE;
    const own = { low: low & attributeMaskLow(layout), high: high & ~layout.outputHigh };
    const shared = this.#isShared(layout, low, high);
    const last = this.#last;
    const isSame = last.low === own.low && last.high === own.high && last.shared === shared;
    if (isSame && last.code !== NONE) return last.code;
    const attributes = join(own.low, own.high) | (shared ? PROT_NS_SHARED : 0n);
    this.#last.code = this.leaf(attributes);
    this.#last.low = own.low;
    this.#last.high = own.high;
    this.#last.shared = shared;
    return this.#last.code;
  }

  /** The two words of a leaf by its code, but for its address. */
  wordsOf(code: number): { low: number; high: number; shared: boolean } {
    let words = this.#words[code];
    if (words === undefined) {
      const attributes = this.attributes(code);
      const { low, high } = split(attributes);
      words = { low: low | 0, high: high | 0, shared: (attributes & PROT_NS_SHARED) !== 0n };
      this.#words[code] = words;
    }
    return words;
  }

  /** @throws UnknownTable where the recording has none there */
  load(parent: MirrorTable, index: number): MirrorTable | undefined {
    if (parent.entries[index] !== TABLE || parent.recorded === undefined) return undefined;
    const { words } = parent.recorded;
    const [low, high] = [words[2 * index] ?? 0, words[2 * index + 1] ?? 0];
    const recorded = this.#source.tableAt(nextTable(parent.layout, low, high));
    const level = (parent.level + 1) as Level;
    if (recorded === undefined || recorded.level !== level) throw new UnknownTable();
    const entries = recorded.words.length / 2;
    const entrySize = parent.entrySize / entries;
    const offset = parent.offset + index * parent.entrySize;
    const table = this.#mirror({ level, offset, entrySize, entries }, recorded);
    table.descriptor = tableDescriptorAttributes(parent.layout, low, high);
    return table;
  }

  #mirror(place: Place, recorded: RecordedTable): MirrorTable {
    const table = new MirrorTable(this, place, recorded);
    const { words } = recorded;
    for (let index = 0; index < place.entries; index++) {
      const [low, high] = [words[2 * index] as number, words[2 * index + 1] as number];
      if ((low | high) !== 0) table.assign(index, this.codeOf(table.layout, low, high));
    }
    this.#mirrors.set(recorded.id, table);
    return table;
  }

  #isShared(layout: DescriptorLayout, low: number, high: number): boolean {
    const { aliasBit } = this.#source;
    return aliasBit !== 0 && outputAddress(layout, low, high) >= aliasBit;
  }
}
