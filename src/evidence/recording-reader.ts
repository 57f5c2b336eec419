// SPDX-License-Identifier: GPL-2.0-only
import { brokenRecording, EventBytes, LastValues } from './event-bytes.ts';
import { type Listed, type RecordedCall, RecordedCalls } from './recorded-calls.ts';

/** Kinds of events in a recording, by their numbers in the stream (recorder.h). */
const kinds = {
  cpu: 1,
  site: 2,
  time: 3,
  store: 4,
  tlbi: 5,
  barrier: 6,
  msr: 7,
  table: 8,
  unlink: 9,
  call: 10,
  enter: 11,
  leave: 12,
  switch: 13,
  mark: 14,
  unmark: 15,
  odd: 16,
} as const;
type EventKind = keyof typeof kinds;

/** An instruction that makes events. */
export interface RecordedSite {
  /** Address at which it ran; physical while the MMU is off. */
  pc: bigint;
  /** The instruction (DDI 0487 C6.2). */
  insn: number;
}

/** A stage 1 table as it is after the events so far. */
export interface RecordedTable {
  /** Counts the tables of a recording from 1 on; one that is linked again gets another number. */
  id: number;
  /** Physical address. */
  pa: number;
  /** Level of lookup, 0 to 3; -1 for the root of a 52-bit address space. */
  level: number;
  /** Reached from TTBR1_EL1. */
  upper: boolean;
  /** Its descriptors, two words each, the lower one first. */
  words: Uint32Array;
}

/** What follows the events of a recording; a descriptor is two words, the lower one first. */
export interface RecordingVisitor {
  /** Before the table changes. */
  store?(table: RecordedTable, index: number, low: number, high: number): void;
  tlbi?(operand: bigint): void;
  barrier?(): void;
  register?(value: bigint): void;
  table?(table: RecordedTable): void;
  unlink?(table: RecordedTable): void;
  enter?(call: RecordedCall, args: readonly bigint[]): void;
  leave?(call: RecordedCall, result: bigint | undefined): void;
  switch?(previous: bigint, next: bigint): void;
  mark?(from: bigint): void;
  unmark?(): void;
}

/** Of each site in `#lasts`: what it wrote last, and to which table and entry. */
const siteValues = 2;

/**
 * Reads the events of a recording, and keeps the tables as these leave them. Bytes are given as
 * they come, but no event in parts.
 */
export class RecordingReader {
  readonly sites: RecordedSite[] = [{ pc: 0n, insn: 0 }];
  /** Those that are linked. */
  readonly tables = new Map<number, RecordedTable>();
  /** The CPU, the instruction and the time (microseconds since the start) of the last event. */
  cpu = 0;
  site = 0;
  time = 0;
  /** Why the recorder says that it is wrong; 0 where it does not (recorder.h). */
  odd = 0;
  readonly #visitor: RecordingVisitor;
  readonly #ramBase: number;
  readonly #counts = new Uint32Array(kinds.odd + 1);
  /** By number, as `tables`; those that were unlinked are undefined. */
  readonly #byId: (RecordedTable | undefined)[] = [undefined];
  readonly #lasts = new LastValues();
  readonly #lastPc = this.#lasts.add(1);
  /** Where the last values of each site are. */
  readonly #ofSite: number[] = [this.#lasts.add(siteValues)];
  readonly #in = new EventBytes();
  readonly #calls: RecordedCalls;

  /**
   * @param listed what is recorded of each listed function
   * @param ramBase physical address
   */
  constructor(listed: readonly Listed[], ramBase: number, visitor: RecordingVisitor = {}) {
    this.#calls = new RecordedCalls(listed, this.#in, this.#lasts);
    this.#ramBase = ramBase;
    this.#visitor = visitor;
  }

  /** In the order of their numbers. */
  get calls(): readonly RecordedCall[] {
    return this.#calls.all;
  }

  /** How many events of each kind there were; a kind that was not seen is absent. */
  get counts(): Partial<Record<EventKind, number>> {
    const all = Object.entries(kinds).map(([kind, number]) => [kind, this.#counts[number]]);
    return Object.fromEntries(all.filter(([, count]) => count !== 0));
  }

  /** @throws PtdiffError('harness') for bytes that are no events */
  read(bytes: Uint8Array): void {
    this.#in.begin(bytes);
    while (!this.#in.atEnd) {
      const kind = this.#in.number();
      if (!(kind > 0 && kind <= kinds.odd)) throw brokenRecording(`there is no event ${kind}`);
      this.#counts[kind] = (this.#counts[kind] as number) + 1;
      this.#event(kind);
    }
  }

  /** The commonest first. */
  #event(kind: number): void {
    switch (kind) {
      case kinds.barrier:
        this.site = this.#in.number();
        this.#visitor.barrier?.();
        break;
      case kinds.store:
        this.#store();
        break;
      case kinds.enter:
        this.#enter();
        break;
      case kinds.leave:
        this.#leave();
        break;
      case kinds.tlbi:
        this.#operand('tlbi');
        break;
      case kinds.time:
        this.time += this.#in.number();
        break;
      case kinds.cpu:
        this.cpu = this.#in.number();
        break;
      default:
        this.#rareEvent(kind);
    }
  }

  #rareEvent(kind: number): void {
    switch (kind) {
      case kinds.site:
        this.#newSite();
        break;
      case kinds.msr:
        this.#operand('register');
        break;
      case kinds.table:
        this.#newTable();
        break;
      case kinds.unlink:
        this.#unlink();
        break;
      case kinds.call:
        this.#calls.add();
        break;
      case kinds.switch:
        this.#switch();
        break;
      case kinds.mark:
        this.#mark();
        break;
      case kinds.unmark:
        this.#visitor.unmark?.();
        break;
      case kinds.odd:
        this.odd = this.#in.number();
        break;
    }
  }

  #newSite(): void {
    this.#in.change(this.#lasts.halves, this.#lastPc);
    const insn = this.#in.number() >>> 0;
    this.sites.push({ pc: this.#lasts.big(this.#lastPc), insn });
    this.#ofSite.push(this.#lasts.add(siteValues));
  }

  /** The site of the event; where its values are. */
  #atSite(): number {
    this.site = this.#in.number();
    const at = this.#ofSite[this.site];
    if (at === undefined) throw brokenRecording(`there is no site ${this.site}`);
    return at;
  }

  #store(): void {
    const at = this.#atSite();
    const { halves } = this.#lasts;
    const table = this.#table((halves[at + 2] as number) + this.#in.signed());
    halves[at + 2] = table.id;
    const index = (halves[at + 3] as number) + this.#in.signed();
    halves[at + 3] = index;
    const { words } = table;
    if (!(index >= 0 && 2 * index < words.length))
      throw brokenRecording('a store is outside its table');
    this.#in.change(halves, at);
    const [low, high] = [halves[at] as number, halves[at + 1] as number];
    this.#visitor.store?.(table, index, low, high);
    words[2 * index] = low;
    words[2 * index + 1] = high;
  }

  #newTable(): void {
    const pa = this.#ramBase + this.#in.whole() * 8;
    const level = this.#in.number() - 1;
    const upper = this.#in.number() === 1;
    const words = new Uint32Array(2 * this.#in.number());
    let at = 0;
    for (let left = this.#in.number(); left > 0; left--) {
      at += 2 * this.#in.number();
      words[at] = this.#in.number();
      words[at + 1] = this.#in.high;
    }
    const id = this.#byId.length;
    const table = { id, pa, level, upper, words };
    this.#byId.push(table);
    this.tables.set(id, table);
    this.#visitor.table?.(table);
  }

  #unlink(): void {
    const table = this.#table(this.#in.number());
    this.#byId[table.id] = undefined;
    this.tables.delete(table.id);
    this.#visitor.unlink?.(table);
  }

  #enter(): void {
    const known = this.#calls.next();
    const args = this.#calls.args(known);
    this.#visitor.enter?.(known.call, args);
  }

  #leave(): void {
    const known = this.#calls.next();
    const result = this.#calls.result(known);
    this.#visitor.leave?.(known.call, result);
  }

  #switch(): void {
    const previous = this.#in.big();
    const next = this.#in.big();
    this.#visitor.switch?.(previous, next);
  }

  #mark(): void {
    const from = this.#in.big();
    this.#visitor.mark?.(from);
  }

  #operand(what: 'tlbi' | 'register'): void {
    const at = this.#atSite();
    this.#in.change(this.#lasts.halves, at);
    // The value is not even made where nobody asks for it.
    this.#visitor[what]?.(this.#lasts.big(at));
  }

  #table(id: number): RecordedTable {
    const table = this.#byId[id];
    if (table === undefined) throw brokenRecording(`there is no table ${id}`);
    return table;
  }
}
