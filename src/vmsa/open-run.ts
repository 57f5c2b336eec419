// SPDX-License-Identifier: GPL-2.0-only
import type { Descriptor } from './descriptor.ts';
import {
  attributeMaskLow,
  type DescriptorLayout,
  join,
  outputAddress,
} from './descriptor-layout.ts';
import type { Stage1Regime } from './regime.ts';
import type { LeafRun, Level } from './types.ts';

/** The table being scanned. */
export interface Table {
  pa: number;
  level: Level;
  entries: number;
  /** First virtual address minus the base of the half: 52 bits at most, so a number is exact. */
  offset: number;
  /** Hierarchical attributes of the descriptors above. */
  inherited: number;
}

/**
 * The run of leaves that a walk is building: neighbours in the address space with consecutive
 * output addresses and equal attributes, at one level and below tables of equal attributes.
 */
export class OpenRun {
  /**
   * First virtual address minus the base of the half; while no run is open, a value that no offset
   * can follow.
   */
  offset = -1;
  /** Bytes; 0 where no run is open. */
  size = 0;
  level: Level = 3;
  #pa = 0;
  #inherited = 0;
  #attributesLow = 0;
  #attributesHigh = 0;
  /**
   * The words of the descriptor that would continue the run; the low word is beyond 2^32 when the
   * carry is not followed.
   */
  #nextLow = 0;
  #nextHigh = 0;

  /**
   * Extends the run by the entries from `index` on that continue it; returns the first entry that
   * does not.
   */
  follow(table: Table, layout: DescriptorLayout, words: Uint32Array, index: number): number {
    const size = 2 ** layout.shift;
    const follows = this.offset + this.size === table.offset + index * size;
    if (!follows || this.level !== table.level || this.#inherited !== table.inherited) return index;
    // None for a block of 4 GiB or more, which changes the high word: too rare for a second loop.
    const room = Math.max(0, Math.ceil((2 ** 32 - this.#nextLow) / size));
    const end = Math.min(table.entries, index + room);
    const stop = matchConsecutive(words, index, end, this.#nextLow, this.#nextHigh, size);
    this.size += (stop - index) * size;
    this.#nextLow += (stop - index) * size;
    return stop;
  }

  /**
   * Whether all of a table continues the run, where its entries are consecutive from `first` on: the
   * same answer as follow() gives after it has compared each of them.
   */
  isFollowedBy(table: Table, layout: DescriptorLayout, first: Descriptor): boolean {
    const size = 2 ** layout.shift;
    return (
      this.size > 0 &&
      this.offset + this.size === table.offset &&
      this.level === table.level &&
      this.#inherited === table.inherited &&
      this.#nextLow === first.low &&
      this.#nextHigh === first.high &&
      // Never so with blocks of 4 GiB or more, which follow() does not take either.
      this.#nextLow + (table.entries - 1) * size < 2 ** 32
    );
  }

  /** Extends the run by all of a table that continues it, see isFollowedBy(). */
  followWhole(table: Table, layout: DescriptorLayout): void {
    const bytes = table.entries * 2 ** layout.shift;
    this.size += bytes;
    this.#nextLow += bytes;
  }

  /** Extends the run by the leaf at `offset` with the words lo and hi, if it continues it. */
  add(table: Table, layout: DescriptorLayout, lo: number, hi: number, offset: number): boolean {
    const continues =
      this.offset + this.size === offset &&
      this.#pa + this.size === outputAddress(layout, lo, hi) &&
      this.level === table.level &&
      this.#inherited === table.inherited &&
      this.#attributesLow === (lo & attributeMaskLow(layout)) &&
      this.#attributesHigh === (hi & ~layout.outputHigh);
    if (continues) this.#lengthen(layout, lo, hi);
    return continues;
  }

  /** Begins a run with a leaf; the previous run must be closed. */
  open(table: Table, layout: DescriptorLayout, lo: number, hi: number, offset: number): void {
    this.offset = offset;
    this.level = table.level;
    this.#pa = outputAddress(layout, lo, hi);
    this.#inherited = table.inherited;
    this.#attributesLow = lo & attributeMaskLow(layout);
    this.#attributesHigh = hi & ~layout.outputHigh;
    this.#lengthen(layout, lo, hi);
  }

  #lengthen(layout: DescriptorLayout, lo: number, hi: number): void {
    const size = 2 ** layout.shift;
    this.size += size;
    this.#nextLow = lo + size;
    this.#nextHigh = hi;
  }

  /** The run in the form of a walk's result. */
  leaf({ base, protectedBit }: Stage1Regime): LeafRun {
    return {
      va: base + BigInt(this.offset),
      pa: this.#pa,
      size: this.size,
      level: this.level,
      contiguous: !protectedBit && (this.#attributesHigh & (1 << 20)) !== 0,
      valid: (this.#attributesLow & 1) === 1,
      attributes: join(this.#attributesLow, this.#attributesHigh),
      tableAttributes: this.#inherited,
    };
  }

  close(): void {
    this.size = 0;
  }
}

/**
 * First entry of [from, to) whose words are not lo + n * size and hi; the caller makes sure that
 * the low word does not wrap. Almost all of a walk's time goes into this loop: everything in it
 * must stay a 32-bit integer, hence the `| 0`.
 */
function matchConsecutive(
  words: Uint32Array,
  from: number,
  to: number,
  lo: number,
  hi: number,
  size: number,
): number {
  const high = hi | 0;
  const step = size | 0;
  const end = (2 * to) | 0;
  let expected = lo | 0;
  let at = (2 * from) | 0;
  while (
    at < end &&
    ((words[at] as number) | 0) === expected &&
    ((words[at + 1] as number) | 0) === high
  ) {
    expected = (expected + step) | 0;
    at += 2;
  }
  return at >> 1;
}
