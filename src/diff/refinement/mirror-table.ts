// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { Table } from '../../model/linear-map.ts';
import type { DescriptorLayout } from '../../vmsa/descriptor-layout.ts';
import type { Level } from '../../vmsa/types.ts';

/** What a function of the model does to the tables, in its order: a write, or a TLB invalidation. */
export type Step = Write | { flush: { start: number; end: number } };

/** One entry that changes. */
export interface Write {
  flush?: undefined;
  table: MirrorTable;
  index: number;
  /** Codes of the entry before and after. */
  old: number;
  code: number;
  /** The table that it leads to from then on, and what is in that by then. */
  link?: { table: MirrorTable; entries: ArrayLike<number> };
}

/** A table of the recording is not known: no operation that needs it can be predicted. */
export class UnknownTable extends Error {}

/** Reads the tables below an entry when they are asked for. */
class TablesBelow extends Map<number, Table> {
  readonly #load: (index: number) => Table | undefined;

  constructor(load: (index: number) => Table | undefined) {
    super();
    this.#load = load;
  }

  override get(index: number): Table | undefined {
    let table = super.get(index);
    if (table === undefined) {
      table = this.#load(index);
      if (table) this.set(index, table);
    }
    return table;
  }
}

/** Where a table is, as Table has it. */
export interface Place {
  level: Level;
  offset: number;
  entrySize: number;
  entries: number;
}

/** The map that a table belongs to. */
interface MirrorOwner {
  layoutOf(level: Level): DescriptorLayout;
  /** The table below an entry, read for the first time. */
  load(parent: MirrorTable, index: number): Table | undefined;
  /** Is told what happens to a live table. */
  note(step: Step): void;
}

/** A table of the recording in the form of the model; or one that the model adds. */
export class MirrorTable extends Table {
  readonly layout: DescriptorLayout;
  /** Absent while only the model knows it. */
  recorded: RecordedTable | undefined;
  /** Whether an entry leads to it: only then do its changes count. */
  live: boolean;
  override readonly tables: Map<number, Table>;
  readonly #owner: MirrorOwner;

  constructor(owner: MirrorOwner, place: Place, recorded?: RecordedTable) {
    super(place.level, place.offset, place.entrySize, place.entries);
    this.#owner = owner;
    this.layout = owner.layoutOf(place.level);
    this.recorded = recorded;
    this.live = recorded !== undefined;
    this.tables = new TablesBelow((index) => owner.load(this, index));
  }

  /** Each change of an entry is a step of its own here. */
  override get same(): undefined {
    return undefined;
  }

  /** What the model does; assign() is for what the recording tells. */
  override set(index: number, code: number): void {
    const old = this.entries[index] as number;
    if (old === code) return;
    if (this.live) this.#owner.note({ table: this, index, old, code });
    this.assign(index, code);
  }
}
