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

  number(value: number | bigint): void {
    if (this.length + 10 > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    if (typeof value === 'bigint' && value >= 2n ** 53n) {
      let rest = value;
      for (; rest >= 0x80n; rest >>= 7n) this.#bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      this.#bytes[this.length++] = Number(rest);
      return;
    }
    let rest = Number(value);
    for (; rest >= 0x80; rest = Math.floor(rest / 128))
      this.#bytes[this.length++] = (rest % 128) | 0x80;
    this.#bytes[this.length++] = rest;
  }

  get all(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** One event, with what it says in full; the descriptor of a store as one number. */
export type RecordedEvent =
  | { kind: 'store'; table: RecordedTable; index: number; value: bigint }
  | { kind: 'tlbi' | 'msr'; operand: bigint }
  | { kind: 'barrier' | 'unmark' }
  | { kind: 'table'; table: RecordedTable }
  | { kind: 'unlink'; table: RecordedTable }
  | { kind: 'enter'; call: RecordedCall; args: readonly bigint[] }
  | { kind: 'leave'; call: RecordedCall; result: bigint | undefined }
  | { kind: 'switch'; previous: bigint; next: bigint }
  | { kind: 'mark'; from: bigint };

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
  readonly #last = new Map<string, bigint>();

  constructor(reader: RecordingReader) {
    this.#reader = reader;
  }

  write(event: RecordedEvent): void {
    const { cpu, time, site } = this.#reader;
    if (cpu !== this.#cpu) this.#numbers(kinds.cpu, cpu);
    if (time !== this.#time) this.#numbers(kinds.time, time - this.#time);
    this.#cpu = cpu;
    this.#time = time;
    this.#tellSites();
    this.#tellCalls();
    switch (event.kind) {
      case 'store':
        this.#numbers(kinds.store, site);
        this.#change(`table ${site}`, BigInt(event.table.id));
        this.#change(`index ${site}`, BigInt(event.index));
        this.#change(`value ${site}`, event.value);
        break;
      case 'tlbi':
      case 'msr':
        this.#numbers(kinds[event.kind], site);
        this.#change(`value ${site}`, event.operand);
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
          this.#change(`call ${event.call.number} ${i}`, value);
        break;
      case 'leave':
        this.#numbers(kinds.leave, event.call.number + 1);
        if (event.result !== undefined)
          this.#change(`call ${event.call.number} result`, event.result);
        break;
    }
  }

  #numbers(...numbers: (number | bigint)[]): void {
    for (const each of numbers) this.bytes.number(each);
  }

  #change(what: string, value: bigint): void {
    const by = BigInt.asIntN(64, value - (this.#last.get(what) ?? 0n));
    this.#last.set(what, value);
    this.bytes.number(BigInt.asUintN(64, (by << 1n) ^ (by >> 63n)));
  }

  #tellSites(): void {
    for (; this.#sites < this.#reader.sites.length; this.#sites++) {
      const { pc, insn } = present(this.#reader.sites[this.#sites], 'site');
      this.#numbers(kinds.site);
      this.#last.set('pc', this.#lastPc);
      this.#change('pc', pc);
      this.#lastPc = pc;
      this.#numbers(insn);
    }
  }

  #tellCalls(): void {
    for (; this.#calls < this.#reader.calls.length; this.#calls++) {
      const { listed, caller } = present(this.#reader.calls[this.#calls], 'call');
      this.#numbers(kinds.call, listed);
      this.#last.set('caller', this.#lastCaller);
      this.#change('caller', caller);
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
