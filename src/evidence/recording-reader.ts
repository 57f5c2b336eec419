// SPDX-License-Identifier: GPL-2.0-only
import { brokenRecording, EventBytes, LastValues } from './event-bytes.ts';

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

/** A function of the list, as it is called at one place. */
export interface RecordedCall {
  /** Counts the places from 0 on. */
  number: number;
  /** Its place in the list, from 0 on. */
  listed: number;
  /** Address to which it returns. */
  caller: bigint;
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

/** A function of the list that the recorder was given (src/linux/recorded-functions.ts). */
interface Listed {
  arguments: number;
  returns: boolean;
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
  readonly calls: RecordedCall[] = [];
  readonly #listed: readonly Listed[];
  readonly #visitor: RecordingVisitor;
  readonly #ramBase: number;
  readonly #counts = new Uint32Array(kinds.odd + 1);
  /** By number, as `tables`; those that were unlinked are undefined. */
  readonly #byId: (RecordedTable | undefined)[] = [undefined];
  /** What each site wrote last, and what each call was last given, its last result at the end. */
  readonly #lasts = new LastValues();
  readonly #lastPc = this.#lasts.add(1);
  readonly #lastCaller = this.#lasts.add(1);
  readonly #ofSite: number[] = [this.#lasts.add(siteValues)];
  readonly #ofCall: number[] = [];
  /** The same as whole numbers, which are made anew only where they change: most do not. */
  readonly #given: (readonly bigint[])[] = [];
  readonly #results: bigint[] = [];
  readonly #in = new EventBytes();

  /**
   * @param listed what is recorded of each listed function
   * @param ramBase physical address
   */
  constructor(listed: readonly Listed[], ramBase: number, visitor: RecordingVisitor = {}) {
    this.#listed = listed;
    this.#ramBase = ramBase;
    this.#visitor = visitor;
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
        this.#newCall();
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

  #newCall(): void {
    const listed = this.#in.number();
    const count = this.#listed[listed]?.arguments;
    if (count === undefined) throw brokenRecording(`it lists no function ${listed}`);
    this.#in.change(this.#lasts.halves, this.#lastCaller);
    const caller = this.#lasts.big(this.#lastCaller);
    this.calls.push({ number: this.calls.length, listed, caller });
    this.#ofCall.push(this.#lasts.add(count + 1));
    this.#given.push(new Array(count).fill(0n));
    this.#results.push(0n);
  }

  #enter(): void {
    const id = this.#in.number();
    const call = this.#call(id);
    const at = this.#ofCall[id - 1] as number;
    const before = this.#given[id - 1] as readonly bigint[];
    let given: bigint[] | undefined;
    for (let i = 0; i < before.length; i++) {
      if (!this.#in.change(this.#lasts.halves, at + 2 * i)) continue;
      given ??= before.slice();
      given[i] = this.#lasts.big(at + 2 * i);
    }
    if (given) this.#given[id - 1] = given;
    this.#visitor.enter?.(call, given ?? before);
  }

  #leave(): void {
    const id = this.#in.number();
    const call = this.#call(id);
    const { arguments: count, returns } = this.#listed[call.listed] as Listed;
    const at = (this.#ofCall[id - 1] as number) + 2 * count;
    if (returns && this.#in.change(this.#lasts.halves, at))
      this.#results[id - 1] = this.#lasts.big(at);
    this.#visitor.leave?.(call, returns ? this.#results[id - 1] : undefined);
  }

  #call(id: number): RecordedCall {
    const call = this.calls[id - 1];
    if (call === undefined) throw brokenRecording(`there is no call ${id}`);
    return call;
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
