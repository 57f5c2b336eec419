// SPDX-License-Identifier: GPL-2.0-only

/** Writes events as harness/emulator/recorder/log.c does, for tests of those that read them. */
export class Events {
  readonly #bytes: number[] = [];

  /** Numbers as they are. */
  add(...numbers: (number | bigint)[]): this {
    for (const each of numbers) {
      let value = BigInt.asUintN(64, BigInt(each));
      for (; value >= 0x80n; value >>= 7n) this.#bytes.push(Number(value & 0x7fn) | 0x80);
      this.#bytes.push(Number(value));
    }
    return this;
  }

  /** What a value differs by from the last of its kind. */
  change(by: bigint): this {
    const signed = BigInt.asIntN(64, by);
    return this.add((signed << 1n) ^ (signed >> 63n));
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Numbers of the events in recorder.h. */
export const kinds = {
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
