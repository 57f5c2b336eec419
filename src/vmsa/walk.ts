// SPDX-License-Identifier: GPL-2.0-only
import { outOfRange } from './bits.ts';
import type { Descriptor } from './descriptor.ts';
import {
  type DescriptorLayout,
  descriptorLayouts,
  join,
  nextTable,
  outputAddress,
  tableDescriptorAttributes,
} from './descriptor-layout.ts';
import { groupFault, isGrouped, leafFaults } from './leaf-checks.ts';
import { OpenRun, type Table } from './open-run.ts';
import type { Stage1Regime } from './regime.ts';
import type { Level, Malformed, WalkResult } from './types.ts';

/** Where the tables are read from. */
export interface RamReader {
  /** Bytes of RAM: a walk visits no more tables than fit into it. */
  readonly size: number;
  /**
   * Every walk calls this first: data that a reader kept from an earlier walk may have changed
   * since.
   */
  begin?(): void;
  /**
   * `bytes` bytes of the table at `pa` as little-endian words, low word of each descriptor first;
   * undefined when any of it lies outside RAM. The next call may overwrite the words.
   * @param table what the walk knows about it: which part of the address space it translates
   */
  table(pa: number, bytes: number, table: Readonly<Table>): Uint32Array | undefined;
  /**
   * The first descriptor of a table in which each entry is the one before it plus the bytes that an
   * entry maps; undefined for any other table, or where the reader does not know that without
   * looking at every entry.
   */
  consecutive?(table: Readonly<Table>): Descriptor | undefined;
}

/**
 * Limits on what a hostile guest can make a walk produce; reaching one ends the walk and is
 * reported.
 */
interface WalkLimits {
  tables: number;
  leaves: number;
  malformed: number;
}

/**
 * Walks every table of one half of the address space (DDI 0487 D8.2). A descriptor that faults
 * (reserved type or level, address beyond the output size, table outside RAM) is malformed and not
 * a leaf. One that only has reserved bits set is malformed and a leaf too, since it translates. A
 * fault that a run of leaves shares is reported at its first leaf. Guest RAM is not trusted: a
 * table is never entered below itself, and the work is bounded by `limits`.
 */
export function walk(
  regime: Stage1Regime,
  ram: RamReader,
  limits: Partial<WalkLimits> = {},
): WalkResult {
  return new Walker(regime, ram, limits).walk();
}

class Walker {
  readonly #regime: Stage1Regime;
  readonly #ram: RamReader;
  readonly #limits: WalkLimits;
  readonly #layouts: Map<Level, DescriptorLayout>;
  readonly #result: WalkResult;
  /** Addresses of the tables from the root to the one being scanned. */
  readonly #path: number[] = [];
  #stopped = false;
  readonly #run = new OpenRun();
  /** Address of the contiguous group that was checked last. */
  #checkedGroup = -1;

  constructor(regime: Stage1Regime, ram: RamReader, limits: Partial<WalkLimits>) {
    this.#regime = regime;
    this.#ram = ram;
    const tables = Math.max(8, Math.floor(ram.size / regime.granule));
    this.#limits = { tables, leaves: 2 ** 22, malformed: 2 ** 16, ...limits };
    this.#layouts = descriptorLayouts(regime);
    this.#result = { leaves: [], tables: [], malformed: [...regime.malformed] };
  }

  walk(): WalkResult {
    const { rootPa, rootEntries, startLevel, notWalked } = this.#regime;
    if (notWalked === undefined) {
      this.#ram.begin?.();
      const root: Table = {
        pa: rootPa,
        level: startLevel,
        entries: rootEntries,
        offset: 0,
        inherited: 0,
      };
      this.#enter(root, 0n, () =>
        this.#report(0, startLevel, 0n, 'The first table lies outside RAM.'),
      );
      this.#closeRun();
    }
    // A broken contiguous group is found at its end but reported at its beginning.
    this.#result.malformed.sort((a, b) => Number(a.va - b.va));
    return this.#result;
  }

  #enter(table: Table, attributes: bigint, outside: () => void): void {
    const first = this.#ram.consecutive?.(table);
    const layout = this.#layouts.get(table.level) as DescriptorLayout;
    // A table that only continues the open run need not be read: a terabyte has half a million.
    const follows = first !== undefined && this.#run.isFollowedBy(table, layout, first);
    const found = follows ? undefined : this.#ram.table(table.pa, table.entries * 8, table);
    if (!follows && found === undefined) {
      outside();
      return;
    }
    if (this.#result.tables.length >= this.#limits.tables) {
      this.#stop(
        table.offset,
        table.level,
        `The walk ended after ${this.#limits.tables} tables, more than RAM can hold.`,
      );
      return;
    }
    const va = this.#regime.base + BigInt(table.offset);
    this.#result.tables.push({ pa: table.pa, level: table.level, va, attributes });
    if (found === undefined) {
      this.#run.followWhole(table, layout);
      return;
    }
    this.#path.push(table.pa);
    // Only a table that can lead to others must survive the next read.
    this.#scan(table, table.level === 3 ? found : found.slice());
    this.#path.pop();
  }

  #scan(table: Table, words: Uint32Array): void {
    const layout = this.#layouts.get(table.level) as DescriptorLayout;
    const size = 2 ** layout.shift;
    let index = 0;
    while (!this.#stopped) {
      index = this.#run.follow(table, layout, words, index);
      if (index === table.entries) break;
      const lo = words[2 * index] as number;
      const hi = words[2 * index + 1] as number;
      this.#checkGroups(table, layout, words, index);
      if ((lo | hi) === 0) {
        index = skipZeroes(words, index + 1, table.entries);
      } else {
        this.#visit(table, layout, lo, hi, table.offset + index * size, table.pa + index * 8);
        index++;
      }
    }
  }

  #visit(
    table: Table,
    layout: DescriptorLayout,
    lo: number,
    hi: number,
    offset: number,
    at: number,
  ): void {
    const type = lo & 3;
    if (table.level < 3 && type === 3) this.#visitTable(table, layout, lo, hi, offset, at);
    else if ((type & 1) === 0) this.#visitLeaf(table, layout, lo, hi, offset);
    else if (type === 1 && table.level === 3)
      this.#fault(table, lo, hi, offset, at, 'Descriptor type 0b01 is reserved at level 3.');
    else if (type === 1 && !layout.blocks)
      this.#fault(
        table,
        lo,
        hi,
        offset,
        at,
        `Blocks are reserved at level ${table.level} of this regime.`,
      );
    else if (
      outOfRange(outputAddress(layout, lo, hi), 2 ** layout.shift, this.#regime.outputBits)
    ) {
      this.#fault(
        table,
        lo,
        hi,
        offset,
        at,
        `The output address does not fit into ${this.#regime.outputBits} bits.`,
      );
    } else if (this.#visitLeaf(table, layout, lo, hi, offset)) {
      for (const reason of leafFaults(this.#regime, layout, lo, hi))
        this.#fault(table, lo, hi, offset, at, reason);
    }
  }

  #visitTable(
    above: Table,
    layout: DescriptorLayout,
    lo: number,
    hi: number,
    offset: number,
    at: number,
  ): void {
    const { granule, outputBits } = this.#regime;
    const fault = (reason: string) => this.#fault(above, lo, hi, offset, at, reason);
    if ((lo & layout.tableZeroLow) !== 0 || (hi & layout.tableZeroHigh) !== 0)
      fault('A table descriptor has bits set that must be 0.');
    const pa = nextTable(layout, lo, hi);
    if (outOfRange(pa, granule, outputBits))
      fault(`The table address does not fit into ${outputBits} bits.`);
    else if (this.#path.includes(pa)) fault('A table descriptor points back to a table above it.');
    else {
      const inherited = above.inherited | (hi >>> 27);
      const table: Table = {
        pa,
        level: (above.level + 1) as Level,
        entries: granule / 8,
        offset,
        inherited,
      };
      this.#enter(table, tableDescriptorAttributes(layout, lo, hi), () =>
        fault('A table lies outside RAM.'),
      );
    }
  }

  /** Adds one leaf to the open run, or opens a new run with it; true if it opened one. */
  #visitLeaf(
    table: Table,
    layout: DescriptorLayout,
    lo: number,
    hi: number,
    offset: number,
  ): boolean {
    if (this.#run.add(table, layout, lo, hi, offset)) return false;
    this.#closeRun();
    this.#run.open(table, layout, lo, hi, offset);
    return true;
  }

  #closeRun(): void {
    const { leaves } = this.#result;
    if (this.#run.size === 0 || leaves.length >= this.#limits.leaves) return;
    leaves.push(this.#run.leaf(this.#regime));
    if (leaves.length >= this.#limits.leaves) {
      this.#stop(
        this.#run.offset,
        this.#run.level,
        `The walk ended after ${this.#limits.leaves} runs of leaves.`,
      );
    }
    this.#run.close();
  }

  /**
   * Checks the contiguous group of this entry, if it has one, and the unfinished group of its
   * predecessor.
   */
  #checkGroups(table: Table, layout: DescriptorLayout, words: Uint32Array, index: number): void {
    if (layout.groupEntries === 0) return;
    const first = index - (index % layout.groupEntries);
    const grouped = (entry: number) =>
      isGrouped(layout, words[2 * entry] as number, words[2 * entry + 1] as number);
    if (!grouped(index) && (index === first || !grouped(index - 1))) return;
    const at = table.pa + first * 8;
    if (at === this.#checkedGroup) return;
    this.#checkedGroup = at;
    const reason = groupFault(this.#regime, layout, words, first);
    if (reason === undefined) return;
    const offset = table.offset + first * 2 ** layout.shift;
    this.#fault(
      table,
      words[2 * first] as number,
      words[2 * first + 1] as number,
      offset,
      at,
      reason,
    );
  }

  #fault(table: Table, lo: number, hi: number, offset: number, at: number, reason: string): void {
    this.#report(offset, table.level, join(lo, hi), reason, at);
  }

  #report(offset: number, level: Level, descriptor: bigint, reason: string, at?: number): void {
    if (this.#stopped) return;
    const fault: Malformed = { va: this.#regime.base + BigInt(offset), level, descriptor, reason };
    if (at !== undefined) fault.at = at;
    this.#result.malformed.push(fault);
    if (this.#result.malformed.length >= this.#limits.malformed) {
      this.#stop(
        offset,
        level,
        `The walk ended after ${this.#limits.malformed} malformed entries.`,
      );
    }
  }

  #stop(offset: number, level: Level, reason: string): void {
    this.#stopped = true;
    this.#result.malformed.push({
      va: this.#regime.base + BigInt(offset),
      level,
      descriptor: 0n,
      reason,
    });
  }
}

function skipZeroes(words: Uint32Array, from: number, to: number): number {
  let index = from;
  while (index < to && ((words[2 * index] as number) | (words[2 * index + 1] as number)) === 0)
    index++;
  return index;
}
