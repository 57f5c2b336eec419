// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';

/** @param why a clause */
export function brokenRecording(why: string): PtdiffError {
  return new PtdiffError('harness', `The recording cannot be read: ${why}.`);
}

/**
 * The numbers of a recording's events (harness/emulator/recorder/log.c), in halves of 32 bits: a
 * boot has millions of them, and a bigint for each would cost more than all the rest.
 */
export class EventBytes {
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  /** The upper half of the number that was read last, with a sign, too. */
  high = 0;

  /** Goes on with other bytes. */
  begin(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /**
   * A number in LEB128 (DWARF 5, 7.6): its lower half, the upper one in `high`. Both have a sign,
   * since V8 keeps 32 bits with a sign in a word, and anything larger in an object.
   */
  number(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined || byte >= 0x80) return this.#longNumber();
    this.#at++;
    this.high = 0;
    return byte;
  }

  #longNumber(): number {
    const bytes = this.#bytes;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[this.#at++];
      if (byte === undefined || shift > 63) throw brokenRecording('a number has no end');
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
    }
    this.high = high;
    return low;
  }

  /**
   * A value that is told by how it differs from the last of its kind, which it replaces.
   * @param values in halves, the lower one first
   * @param at where its halves are
   * @returns whether it differs
   */
  change(values: Uint32Array, at: number): boolean {
    const low = this.number();
    const { high } = this;
    if (low === 0 && high === 0) return false;
    const sign = -(low & 1);
    const sum = (values[at] as number) + ((((low >>> 1) | (high << 31)) ^ sign) >>> 0);
    values[at] = sum;
    values[at + 1] = (values[at + 1] as number) + ((high >>> 1) ^ sign) + Number(sum >= 2 ** 32);
    return true;
  }

  /** Zigzag, of 32 bits. */
  signed(): number {
    const coded = this.number();
    return (coded >>> 1) ^ -(coded & 1);
  }

  /** Up to 2^53. */
  whole(): number {
    const low = this.number() >>> 0;
    return (this.high >>> 0) * 2 ** 32 + low;
  }

  /** All 64 bits. */
  big(): bigint {
    const low = this.number() >>> 0;
    return (BigInt(this.high >>> 0) << 32n) | BigInt(low);
  }
}

/** Values of 64 bits, each the last one of its kind, in halves. */
export class LastValues {
  halves = new Uint32Array(2048);
  /** The same memory: ptdiff's hosts have the lower half first. */
  #wholes = new BigUint64Array(this.halves.buffer);
  #count = 0;

  /**
   * Room for some more values, which are 0.
   * @returns where the first one is
   */
  add(count: number): number {
    const at = this.#count;
    this.#count += 2 * count;
    if (this.#count > this.halves.length) {
      const grown = new Uint32Array(2 * this.#count);
      grown.set(this.halves);
      this.halves = grown;
      this.#wholes = new BigUint64Array(grown.buffer);
    }
    return at;
  }

  big(at: number): bigint {
    return this.#wholes[at >> 1] as bigint;
  }
}
