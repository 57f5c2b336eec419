// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedOperation } from '../../evidence/follow-recording.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { int } from '../../linux/arguments.ts';
import { NONE, TABLE } from '../../model/linear-map.ts';
import type { Operation } from '../../model/operation.ts';
import { tableDescriptorAttributes } from '../../vmsa/descriptor-layout.ts';
import { hex } from '../text.ts';
import { covers, type Invalidated } from './covers.ts';
import type { Deviation, Difference, Predicted } from './deviation.ts';
import {
  codeText,
  expectedText,
  foundText,
  placeOf,
  whereOf,
  whereText,
} from './deviation-text.ts';
import type { Step, Write } from './mirror-table.ts';

/** Is told of a deviation. */
export interface Witness {
  report(operation: RecordedOperation, deviation: Omit<Deviation, 'operation' | 'time'>): void;
}

/**
 * Follows one operation against its prediction: its stores must be the predicted ones, in the
 * predicted order. What differs first is reported, and nothing after that.
 */
export class Expectation {
  readonly operation: RecordedOperation;
  /** What called it as a part of itself, whose prediction has the same stores. */
  readonly outer: Expectation | undefined;
  /** Absent where nothing could be predicted. */
  #predicted: Predicted | undefined;
  readonly #witness: Witness;
  /** Stores by other CPUs that were there when it was predicted; see RefinementCheck. */
  foreign: number;
  #next = 0;
  /** Those since the last one that was predicted. */
  #tlbis: Invalidated[] | undefined;
  #hasStored = false;
  /** The write that has just linked a table, and the block that was there before. */
  #linking: { write: Write; low: number; high: number } | undefined;

  constructor(
    operation: RecordedOperation,
    outer: Expectation | undefined,
    predicted: Predicted | undefined,
    witness: Witness,
    foreign: number,
  ) {
    this.operation = operation;
    this.outer = outer;
    this.#predicted = predicted;
    this.#witness = witness;
    this.foreign = foreign;
  }

  get model(): Operation | undefined {
    return this.#predicted?.model;
  }

  /** Whether another prediction could take the place of this one. */
  get isOpen(): boolean {
    return this.#predicted !== undefined && !this.#hasStored;
  }

  /** Whether it waits for its tables, and for nothing that it has predicted itself. */
  get isPreparing(): boolean {
    return this.#predicted?.model.hasOwnTables === true && this.#next === 0;
  }

  /** What is expected of it as the tables are now. */
  predictAgain(predicted: Predicted | undefined): void {
    this.#predicted = predicted;
  }

  /** Before a store. */
  store(table: RecordedTable, index: number, low: number, high: number): void {
    const predicted = this.#predicted;
    if (predicted === undefined) return;
    if (predicted.model.hasOwnTables && predicted.map.mirrorOf(table) === undefined) return;
    this.#hasStored = true;
    const { map, steps } = predicted;
    // A store that nothing predicts is that, whatever should have come before it.
    let next = this.#next;
    while (steps[next]?.flush) next++;
    const write = steps[next] && this.#nextWrite(predicted);
    // Already reported.
    if (this.#predicted === undefined) return;
    this.#next++;
    if (write === undefined)
      this.#deviate({
        difference: 'extra',
        ...whereOf(map, table, index),
        found: foundText(map, table.level, low, high),
      });
    else if (write.table.recorded?.id !== table.id || write.index !== index)
      this.#deviate({
        difference: 'other-entry',
        at: placeOf(map, write),
        expected: expectedText(predicted, write),
        found: `${whereText(map, table, index)}${foundText(map, table.level, low, high)}`,
      });
    else {
      const difference = this.#compare(predicted, write, table, low, high);
      if (difference)
        this.#deviate({
          difference,
          at: placeOf(map, write),
          expected: expectedText(predicted, write),
          found: foundText(map, table.level, low, high),
        });
    }
  }

  /** Right after a store: the table that it linked. */
  linked(table: RecordedTable): void {
    const predicted = this.#predicted;
    const linking = this.#linking;
    this.#linking = undefined;
    if (predicted === undefined || linking === undefined) return;
    const { write, low, high } = linking;
    const link = write.link;
    if (link === undefined) return;
    link.table.recorded = table;
    const base = predicted.map.addressOf(write.table.layout, low, high);
    const { entrySize, layout, level } = link.table;
    for (let index = 0; index < link.entries.length; index++) {
      const [foundLow, foundHigh] = [table.words[2 * index] ?? 0, table.words[2 * index + 1] ?? 0];
      const code = link.entries[index] as number;
      const isRight =
        predicted.map.codeOf(layout, foundLow, foundHigh) === code &&
        (code === NONE ||
          predicted.map.addressOf(layout, foundLow, foundHigh) === base + index * entrySize);
      if (isRight) continue;
      const va = predicted.map.start + BigInt(link.table.offset + index * entrySize);
      this.#deviate({
        difference: 'content',
        at: { va, level },
        expected: codeText(predicted.map, link.table, code, base + index * entrySize),
        found: foundText(predicted.map, level, foundLow, foundHigh),
      });
      return;
    }
  }

  tlbi(what: Invalidated): void {
    if (this.#predicted === undefined) return;
    if (this.#tlbis) this.#tlbis.push(what);
    else this.#tlbis = [what];
  }

  /** At its return. */
  end(result: bigint | undefined): void {
    const predicted = this.#predicted;
    if (predicted === undefined) return;
    const write = this.#nextWrite(predicted);
    if (write)
      this.#deviate({
        difference: 'missing',
        at: placeOf(predicted.map, write),
        expected: expectedText(predicted, write),
      });
    const { answer } = predicted;
    if (answer === undefined || result === undefined || this.#predicted === undefined) return;
    const returned = int(result);
    if (returned !== answer)
      this.#deviate({ difference: 'result', expected: `${answer}`, found: `${returned}` });
  }

  /**
   * The next predicted write; the TLB invalidations before it must have been made since the last
   * one, in any order.
   */
  #nextWrite(predicted: Predicted): Write | undefined {
    const { steps, map } = predicted;
    let isFlushed = false;
    for (; this.#next < steps.length; this.#next++) {
      const step = steps[this.#next] as Step;
      if (!step.flush) {
        if (isFlushed) this.#tlbis = undefined;
        return step;
      }
      const { start, end } = step.flush;
      if (!covers(this.#tlbis ?? [], start, end, map.geometry.granule)) {
        const range = `${hex(map.start + BigInt(start))} to ${hex(map.start + BigInt(end))}`;
        this.#deviate({ difference: 'tlbi', expected: `a TLB invalidation of ${range}` });
        return undefined;
      }
      isFlushed = true;
    }
    return undefined;
  }

  #compare(
    { map, model, physBase }: Predicted,
    { table: mirror, index, old, code, link }: Write,
    table: RecordedTable,
    low: number,
    high: number,
  ): Difference | undefined {
    const { layout } = mirror;
    const [was, wasHigh] = [table.words[2 * index] ?? 0, table.words[2 * index + 1] ?? 0];
    const found = map.codeOf(layout, low, high);
    if (code === TABLE) {
      if (found !== TABLE) return 'table';
      const below = link?.table.descriptor ?? descriptorAfter(mirror, was, wasHigh);
      if (tableDescriptorAttributes(layout, low, high) !== below) return 'table';
      if (link)
        this.#linking = {
          write: { table: mirror, index, old, code, link },
          low: was,
          high: wasHigh,
        };
      return undefined;
    }
    if (found !== code) return 'attributes';
    if (code === NONE) return undefined;
    const pa = model.maps
      ? physBase + mirror.offset + index * mirror.entrySize
      : map.addressOf(layout, was, wasHigh);
    return map.addressOf(layout, low, high) === pa ? undefined : 'address';
  }

  #deviate(deviation: Omit<Deviation, 'operation' | 'time'>): void {
    this.#predicted = undefined;
    this.#witness.report(this.operation, deviation);
  }
}

/** kpti_mk_tbl_ng is the only one that rewrites a descriptor of a table: PTE_NG. */
function descriptorAfter({ layout }: Write['table'], low: number, high: number): bigint {
  return tableDescriptorAttributes(layout, low, high) | (1n << 11n);
}
