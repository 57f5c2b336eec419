// SPDX-License-Identifier: GPL-2.0-only

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { type PhysicalRange, sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import type { RamReader } from '../../src/vmsa/walk.ts';

/** A range of guest-physical addresses, and its offset in the file. */
export interface RamBank extends PhysicalRange {
  offset: number;
}

/** Guest RAM kept in a file, read while the guest is stopped. */
export interface RamFile extends RamReader {
  /** By its address alone. */
  table(pa: number, bytes: number): Uint32Array | undefined;
  /**
   * A copy of guest memory, which may span several adjacent banks. Throws when any of it is outside
   * RAM.
   */
  read(pa: number, bytes: number): Buffer;
  /** Whether all of a range is in one bank. */
  contains(pa: number, bytes: number): boolean;
  close(): void;
}

/**
 * Reads grow up to this many bytes while table pages are adjacent, as those of a kernel's linear
 * map are: a walk of 16 GiB of pages takes 0.6 of the time with single-page reads. Larger windows
 * do not fit into the CPU's cache and gain nothing.
 */
const LARGEST_WINDOW = 2 ** 18;

/**
 * Opens the RAM of a machine: one bank that begins at `banks` and fills the whole file (QEMU's
 * `virt` machine: 0x40000000), or the given banks. Every bank must be inside the file.
 */
export function openRam(path: string, banks: number | RamBank[]): RamFile {
  const descriptor = attempt(path, 'open', () => openSync(path, 'r'));
  try {
    const length = attempt(path, 'read the size of', () => fstatSync(descriptor).size);
    const list = typeof banks === 'number' ? [{ ...sizedRange(banks, length), offset: 0 }] : banks;
    const short = list.find((bank) => bank.offset + sizeOf(bank) > length);
    if (short !== undefined) {
      const wanted = `the bank at 0x${short.start.toString(16)} ends at byte ${short.offset + sizeOf(short)}`;
      throw new PtdiffError('harness', `The RAM file ${path} has ${length} bytes, but ${wanted}.`);
    }
    return new BankedFile(path, descriptor, list);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

class BankedFile implements RamFile {
  readonly size: number;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #banks: RamBank[];
  /**
   * The bytes that were last read for tables, [start, end) of the file; the buffer is reused, so
   * the result of table() changes.
   */
  readonly #window = Buffer.alloc(LARGEST_WINDOW);
  #start = 0;
  #end = 0;

  constructor(path: string, descriptor: number, banks: RamBank[]) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#banks = banks;
    this.size = sizeOf(...banks);
  }

  begin(): void {
    this.#start = 0;
    this.#end = 0;
  }

  table(pa: number, bytes: number): Uint32Array | undefined {
    const bank = this.#bankOf(pa);
    if (bank === undefined || pa + bytes > bank.end || bytes > LARGEST_WINDOW) return undefined;
    const at = pa - bank.start + bank.offset;
    if (at < this.#start || at + bytes > this.#end) this.#moveWindow(at, bytes, bank);
    return new Uint32Array(
      this.#window.buffer,
      this.#window.byteOffset + at - this.#start,
      bytes / 4,
    );
  }

  read(pa: number, bytes: number): Buffer {
    const result = Buffer.alloc(bytes);
    for (let done = 0; done < bytes; ) {
      const bank = this.#bankOf(pa + done);
      if (bank === undefined) {
        throw new PtdiffError(
          'harness',
          `Physical address 0x${(pa + done).toString(16)} lies outside the RAM in ${this.#path}.`,
        );
      }
      const from = pa + done;
      const length = Math.min(bytes - done, bank.end - from);
      this.#fill(result.subarray(done, done + length), from - bank.start + bank.offset);
      done += length;
    }
    return result;
  }

  contains(pa: number, bytes: number): boolean {
    const bank = this.#bankOf(pa);
    return bank !== undefined && pa + bytes <= bank.end;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #bankOf(pa: number): RamBank | undefined {
    return this.#banks.find((bank) => pa >= bank.start && pa < bank.end);
  }

  /**
   * Loads the bytes at `at`. If a table page directly follows or precedes the last window (Linux
   * allocates them from the top of memory downwards), the window doubles in that direction; any
   * other page is read alone.
   */
  #moveWindow(at: number, bytes: number, bank: RamBank): void {
    const last = this.#end - this.#start;
    const grown = Math.min(LARGEST_WINDOW, 2 * last);
    const bankEnd = bank.offset + sizeOf(bank);
    let start = at;
    let end = at + bytes;
    if (at === this.#end && grown > bytes) end = Math.min(at + grown, bankEnd);
    else if (at + bytes === this.#start && grown > bytes)
      start = Math.max(end - grown, bank.offset);
    this.begin();
    this.#fill(this.#window.subarray(0, end - start), start);
    this.#start = start;
    this.#end = end;
  }

  #fill(target: Buffer, position: number): void {
    for (let done = 0; done < target.length; ) {
      const count = attempt(this.#path, 'read', () =>
        readSync(this.#descriptor, target, done, target.length - done, position + done),
      );
      if (count === 0)
        throw new PtdiffError(
          'harness',
          `The RAM file ${this.#path} became shorter while it was read.`,
        );
      done += count;
    }
  }
}

function attempt<T>(path: string, verb: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new PtdiffError('host', `Cannot ${verb} the RAM file ${path}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
