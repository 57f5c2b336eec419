// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../../src/evidence/capture.ts';
import type { RecordedCall } from '../../src/evidence/recorded-calls.ts';
import { type RecordedTable, RecordingReader } from '../../src/evidence/recording-reader.ts';
import { present } from '../../src/present.ts';
import { kinds } from './recorded-events.ts';

/** Bytes that grow. */
class Bytes {
  #bytes = new Uint8Array(2 ** 20);
  length = 0;

  /** LEB128: seven bits a byte, the lowest first. */
  number(value: number | bigint): void {
    if (this.length + 10 > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    // A bigint in two parts, each exact as a number, since bigints are slow.
    const above = typeof value === 'bigint' ? Number(value >> 49n) : 0;
    let rest = above > 0 ? Number(BigInt(value) & 0x1_ffff_ffff_ffffn) : Number(value);
    for (let i = 0; above > 0 && i < 7; i++) {
      this.#bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    for (rest = above || rest; rest >= 0x80; rest = Math.floor(rest / 128))
      this.#bytes[this.length++] = (rest % 128) | 0x80;
    this.#bytes[this.length++] = rest;
  }

  get all(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/**
 * One event, with what it says in full; the descriptor of a store as one number. It is of the CPU of
 * the event whose place it takes, unless it names another one.
 */
export type RecordedEvent = { cpu?: number } & (
  | { kind: 'store'; table: RecordedTable; index: number; value: bigint }
  | { kind: 'tlbi' | 'msr'; operand: bigint }
  | { kind: 'barrier' | 'unmark' }
  | { kind: 'table'; table: RecordedTable }
  | { kind: 'unlink'; table: RecordedTable }
  | { kind: 'enter'; call: RecordedCall; args: readonly bigint[] }
  | { kind: 'leave'; call: RecordedCall; result: bigint | undefined }
  | { kind: 'switch'; previous: bigint; next: bigint }
  | { kind: 'mark'; from: bigint }
);

/** Values of a call that are recorded: its result and at most eight arguments, in registers. */
const callValues = 9;

/** Writes events as harness/emulator/recorder/log.c does. */
class Writer {
  readonly bytes = new Bytes();
  readonly #reader: RecordingReader;
  #cpu = 0;
  #time = 0;
  #sites = 1;
  #lastPc = 0n;
  #calls = 0;
  #lastCaller = 0n;
  /** What each value was last: three of a site, and as many as a call has and its result. */
  readonly #ofSites: bigint[] = [];
  readonly #ofCalls: bigint[] = [];

  constructor(reader: RecordingReader) {
    this.#reader = reader;
  }

  write(event: RecordedEvent): void {
    const { time, site } = this.#reader;
    const { cpu = this.#reader.cpu } = event;
    if (cpu !== this.#cpu) this.#numbers(kinds.cpu, cpu);
    if (time !== this.#time) this.#numbers(kinds.time, time - this.#time);
    this.#cpu = cpu;
    this.#time = time;
    this.#tellSites();
    this.#tellCalls();
    switch (event.kind) {
      case 'store':
        this.#numbers(kinds.store, site);
        this.#change(this.#ofSites, 3 * site + 1, BigInt(event.table.id));
        this.#change(this.#ofSites, 3 * site + 2, BigInt(event.index));
        this.#change(this.#ofSites, 3 * site, event.value);
        break;
      case 'tlbi':
      case 'msr':
        this.#numbers(kinds[event.kind], site);
        this.#change(this.#ofSites, 3 * site, event.operand);
        break;
      case 'barrier':
        this.#numbers(kinds.barrier, site);
        break;
      case 'unmark':
        this.#numbers(kinds.unmark);
        break;
      case 'mark':
        this.#numbers(kinds.mark, event.from);
        break;
      case 'switch':
        this.#numbers(kinds.switch, event.previous, event.next);
        break;
      case 'unlink':
        this.#numbers(kinds.unlink, event.table.id);
        break;
      case 'table':
        this.#table(event.table);
        break;
      case 'enter':
        this.#numbers(kinds.enter, event.call.number + 1);
        for (const [i, value] of event.args.entries())
          this.#change(this.#ofCalls, callValues * event.call.number + 1 + i, value);
        break;
      case 'leave':
        this.#numbers(kinds.leave, event.call.number + 1);
        if (event.result !== undefined)
          this.#change(this.#ofCalls, callValues * event.call.number, event.result);
        break;
    }
  }

  #numbers(...numbers: (number | bigint)[]): void {
    for (const each of numbers) this.bytes.number(each);
  }

  #change(lasts: bigint[], place: number, value: bigint): void {
    this.#difference(value - (lasts[place] ?? 0n));
    lasts[place] = value;
  }

  #difference(whole: bigint): void {
    const by = BigInt.asIntN(64, whole);
    this.bytes.number(BigInt.asUintN(64, (by << 1n) ^ (by >> 63n)));
  }

  #tellSites(): void {
    for (; this.#sites < this.#reader.sites.length; this.#sites++) {
      const { pc, insn } = present(this.#reader.sites[this.#sites], 'site');
      this.#numbers(kinds.site);
      this.#difference(pc - this.#lastPc);
      this.#lastPc = pc;
      this.#numbers(insn);
    }
  }

  #tellCalls(): void {
    for (; this.#calls < this.#reader.calls.length; this.#calls++) {
      const { listed, caller } = present(this.#reader.calls[this.#calls], 'call');
      this.#numbers(kinds.call, listed);
      this.#difference(caller - this.#lastCaller);
      this.#lastCaller = caller;
    }
  }

  #table({ pa, level, upper, words }: RecordedTable): void {
    const entries: [index: number, value: bigint][] = [];
    for (let i = 0; i < words.length; i += 2) {
      const value = (BigInt(words[i + 1] ?? 0) << 32n) | BigInt(words[i] ?? 0);
      if (value !== 0n) entries.push([i / 2, value]);
    }
    const ramBase = 0x4000_0000;
    const count = words.length / 2;
    this.#numbers(kinds.table, (pa - ramBase) / 8, level + 1, Number(upper), count, entries.length);
    let last = 0;
    for (const [index, value] of entries) {
      this.#numbers(index - last, value);
      last = index;
    }
  }
}

/**
 * A recording with other events.
 * @param change is given each event, with the reader as it is before it (a table that is linked:
 * after it), and says what takes its place
 */
export function rewriteRecording(
  recording: Recording,
  change: (event: RecordedEvent, reader: RecordingReader) => readonly RecordedEvent[],
): Recording {
  const { functions, ramBase, moments, events } = recording;
  const put = (event: RecordedEvent) => {
    for (const each of change(event, reader)) writer.write(each);
  };
  const reader: RecordingReader = new RecordingReader(functions, ramBase, {
    store: (table, index, low, high) =>
      put({ kind: 'store', table, index, value: (BigInt(high) << 32n) | BigInt(low >>> 0) }),
    tlbi: (operand) => put({ kind: 'tlbi', operand }),
    register: (operand) => put({ kind: 'msr', operand }),
    barrier: () => put({ kind: 'barrier' }),
    table: (table) => put({ kind: 'table', table }),
    unlink: (table) => put({ kind: 'unlink', table }),
    enter: (call, args) => put({ kind: 'enter', call, args }),
    leave: (call, result) => put({ kind: 'leave', call, result }),
    switch: (previous, next) => put({ kind: 'switch', previous, next }),
    mark: (from) => put({ kind: 'mark', from }),
    unmark: () => put({ kind: 'unmark' }),
  });
  const writer = new Writer(reader);
  const rewritten: Recording['moments'] = [];
  let at = 0;
  for (const { checkpoint, bytes } of moments) {
    reader.read(events.subarray(at, bytes));
    at = bytes;
    rewritten.push({ checkpoint, bytes: writer.bytes.length });
  }
  reader.read(events.subarray(at));
  return { ...recording, moments: rewritten, events: writer.bytes.all };
}
