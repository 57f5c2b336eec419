// SPDX-License-Identifier: GPL-2.0-only
import { brokenRecording, EventBytes } from './event-bytes.ts';

/** Kinds of events in a recording, by their numbers in the stream (recorder.h). */
const eventKinds = [
  undefined,
  'cpu',
  'site',
  'time',
  'store',
  'tlbi',
  'barrier',
  'msr',
  'table',
  'unlink',
  'call',
  'enter',
  'leave',
  'switch',
  'mark',
  'unmark',
  'odd',
] as const;

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

/**
 * Reads the events of a recording, and keeps the tables as these leave them. Bytes are given as
 * they come, but no event in parts.
 */
export class RecordingReader {
  readonly sites: RecordedSite[] = [{ pc: 0n, insn: 0 }];
  /** Those that are linked. */
  readonly tables = new Map<number, RecordedTable>();
  /** How many events of each kind. */
  readonly counts: Record<string, number> = {};
  /** The CPU, the instruction and the time (microseconds since the start) of the last event. */
  cpu = 0;
  site = 0;
  time = 0;
  readonly calls: RecordedCall[] = [];
  readonly #listed: readonly Listed[];
  /** What each site wrote last, and what each call was last given, its last result at the end. */
  readonly #lastAt: bigint[] = [0n];
  readonly #lastTable: number[] = [0];
  readonly #lastIndex: number[] = [0];
  readonly #lastOf: bigint[][] = [];
  #lastCaller = 0n;
  readonly #ramBase: number;
  readonly #visitor: RecordingVisitor;
  #tables = 0;
  #lastPc = 0n;
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

  /** @throws PtdiffError('harness') for bytes that are no events */
  read(bytes: Uint8Array): void {
    this.#in.begin(bytes);
    while (!this.#in.atEnd) this.#event(this.#in.number());
  }

  #event(kind: number): void {
    const name = eventKinds[kind];
    if (name === undefined) throw brokenRecording(`there is no event ${kind}`);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    switch (name) {
      case 'cpu':
        this.cpu = this.#in.number();
        break;
      case 'site':
        this.#newSite();
        break;
      case 'time':
        this.time += this.#in.number();
        break;
      case 'store':
        this.site = this.#in.number();
        this.#store();
        break;
      case 'tlbi':
        this.site = this.#in.number();
        this.#operand('tlbi');
        break;
      case 'barrier':
        this.site = this.#in.number();
        this.#visitor.barrier?.();
        break;
      case 'msr':
        this.site = this.#in.number();
        this.#operand('register');
        break;
      case 'table':
        this.#newTable();
        break;
      case 'unlink':
        this.#unlink();
        break;
      case 'call':
        this.#newCall();
        break;
      case 'enter':
        this.#enter();
        break;
      case 'leave':
        this.#leave();
        break;
      case 'switch':
        this.#switch();
        break;
      case 'mark':
        this.#mark();
        break;
      case 'unmark':
        this.#visitor.unmark?.();
        break;
    }
  }

  #newSite(): void {
    const pc = this.#in.changed(this.#lastPc);
    const insn = this.#in.number();
    this.#lastPc = pc;
    this.sites.push({ pc, insn });
    this.#lastAt.push(0n);
    this.#lastTable.push(0);
    this.#lastIndex.push(0);
  }

  #store(): void {
    const { site } = this;
    const table = this.#table((this.#lastTable[site] ?? 0) + this.#in.signed());
    this.#lastTable[site] = table.id;
    const index = (this.#lastIndex[site] ?? 0) + this.#in.signed();
    this.#lastIndex[site] = index;
    const at = 2 * index;
    const { words } = table;
    if (!(at >= 0 && at < words.length)) throw brokenRecording('a store is outside its table');
    const value = this.#atSite();
    const low = Number(value & 0xffff_ffffn);
    const high = Number(value >> 32n);
    this.#visitor.store?.(table, index, low, high);
    words[at] = low;
    words[at + 1] = high;
  }

  /** What the instruction at the site writes this time. */
  #atSite(): bigint {
    const last = this.#lastAt[this.site];
    if (last === undefined) throw brokenRecording(`there is no site ${this.site}`);
    const value = this.#in.changed(last);
    this.#lastAt[this.site] = value;
    return value;
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
    const id = ++this.#tables;
    const table = { id, pa, level, upper, words };
    this.tables.set(id, table);
    this.#visitor.table?.(table);
  }

  #unlink(): void {
    const table = this.#table(this.#in.number());
    this.tables.delete(table.id);
    this.#visitor.unlink?.(table);
  }

  #newCall(): void {
    const listed = this.#in.number();
    const count = this.#listed[listed]?.arguments;
    if (count === undefined) throw brokenRecording(`it lists no function ${listed}`);
    this.#lastCaller = this.#in.changed(this.#lastCaller);
    this.calls.push({ number: this.calls.length, listed, caller: this.#lastCaller });
    this.#lastOf.push(new Array(count + 1).fill(0n));
  }

  #enter(): void {
    const [call, lasts] = this.#call();
    for (let i = 0; i < lasts.length - 1; i++) lasts[i] = this.#in.changed(lasts[i] as bigint);
    this.#visitor.enter?.(call, lasts.slice(0, -1));
  }

  #leave(): void {
    const [call, lasts] = this.#call();
    const at = lasts.length - 1;
    const returns = this.#listed[call.listed]?.returns;
    if (returns) lasts[at] = this.#in.changed(lasts[at] as bigint);
    this.#visitor.leave?.(call, returns ? lasts[at] : undefined);
  }

  #call(): [RecordedCall, bigint[]] {
    const id = this.#in.number();
    const [call, lasts] = [this.calls[id - 1], this.#lastOf[id - 1]];
    if (call === undefined || lasts === undefined) throw brokenRecording(`there is no call ${id}`);
    return [call, lasts];
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
    // Read in any case: an optional call does not evaluate what it is not called with.
    const value = this.#atSite();
    this.#visitor[what]?.(value);
  }

  #table(id: number): RecordedTable {
    const table = this.tables.get(id);
    if (table === undefined) throw brokenRecording(`there is no table ${id}`);
    return table;
  }
}

/** Access flag; and where DBM (bit 51) is set, what hardware clears in AP[2] (DDI 0487 D8.5). */
const accessFlag = 1 << 10;
const readOnly = 1 << 7;
const dirtyModifier = 1 << (51 - 32);

/**
 * The first entry in which a table is not what memory holds, apart from what the hardware itself
 * writes.
 * @param words the memory of the table
 */
export function differsFromRam(
  { words: own }: RecordedTable,
  words: Uint32Array,
): number | undefined {
  for (let at = 0; at < own.length; at += 2) {
    const high = own[at + 1] as number;
    const ignored = high & dirtyModifier ? accessFlag | readOnly : accessFlag;
    const low = ((own[at] as number) ^ (words[at] as number)) & ~ignored;
    if (low !== 0 || high !== words[at + 1]) return at / 2;
  }
  return undefined;
}
