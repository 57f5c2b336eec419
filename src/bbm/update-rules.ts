// SPDX-License-Identifier: GPL-2.0-only
import { addressIn } from '../evidence/recorded-places.ts';
import type { RecordedTable } from '../evidence/recording-reader.ts';
import { isTable } from '../vmsa/descriptor.ts';
import { decodeBarrier } from './barrier.ts';
import { Contexts } from './contexts.ts';
import { FreedTables } from './freed-tables.ts';
import {
  type BbmLevel,
  type Forbidden,
  needsBreak,
  staysInTlb,
  tableReused,
} from './needs-break.ts';
import type { Owed } from './owed.ts';
import { PendingEntries } from './pending.ts';
import { Registers } from './registers.ts';
import {
  type Broken,
  keyOf,
  type Missing,
  pageAt,
  type Space,
  type Table,
  Tables,
} from './tables.ts';
import { decodeTlbi } from './tlbi.ts';
import { translationChanges } from './translation-changes.ts';

/** A change that the architecture does not allow. */
export interface Violation extends Forbidden {
  /** What is not done before; undefined where the entry was not broken at all. */
  missing: Missing | undefined;
  /** The least level of FEAT_BBM that a CPU which may hold the entry claims. */
  claimed: BbmLevel;
  /** First virtual address of the entry, in units of 4 KiB, below 0 for the upper half. */
  page: number;
  level: number;
  oldLow: number;
  oldHigh: number;
  low: number;
  high: number;
}

/**
 * The architecture's rules of table updates (DDI 0487 D8.16, D8.17), as one step for each event of
 * a recording, in order. Steps depend on earlier ones and on nothing else.
 */
export class UpdateRules {
  readonly #tables = new Tables();
  readonly #contexts: Contexts;
  readonly #pending = new PendingEntries();
  readonly #kernel: Space;
  readonly #freed = new FreedTables();
  readonly #registers = new Registers();
  readonly #found: (violation: Violation) => void;
  /** CPUs that sent a TLBI of everything, and whether to all CPUs, until its DSB. */
  readonly #flushing = new Map<number, boolean>();
  /** The root that is being unlinked, with all that only it led to. */
  #dropped = false;
  /** The table that is about to be linked takes the place of a block of the same addresses. */
  #replaced: { pa: number; table: Table; index: number; low: number; high: number } | undefined;
  #stored = { low: 0, high: 0 };

  /** @param levels of FEAT_BBM, as each CPU claims it */
  constructor(levels: readonly BbmLevel[], found: (violation: Violation) => void) {
    this.#contexts = new Contexts(levels, (root) => this.#tables.isEmpty(root));
    this.#kernel = { held: this.#contexts.upper, loose: new Map(), upper: true };
    this.#found = found;
  }

  /** A table is reached. */
  linked(recorded: RecordedTable): void {
    const table = this.#tables.link(recorded, (root) => this.#spaceOf(root));
    const reused = this.#freed.reused(table);
    if (reused)
      this.#report(tableReused, reused.missing, reused, this.#stored.low, this.#stored.high);
    const replaced = this.#replaced;
    this.#replaced = undefined;
    if (replaced?.pa === recorded.pa) this.#becameTable(replaced, table);
    if (table.space.loose.size > 0) this.#checkAll(table);
  }

  /** Nothing leads to a table any more. */
  unlinked(recorded: RecordedTable, cpu: number): void {
    const table = this.#tables.unlink(recorded);
    this.#freed.unlinked(recorded);
    if (table === undefined) return;
    if (table.isRoot) {
      this.#dropped = true;
      if (!recorded.upper) this.#contexts.forget(recorded.pa);
    }
    for (const entry of table.pending) {
      if (entry === undefined) continue;
      const { missing } = entry;
      this.#pending.settle(entry);
      entry.missing = missing;
      if (!this.#dropped) this.#pending.loosen(entry);
    }
    if (!this.#dropped && table.space.held.size > 0) this.#loosenLeaves(table, cpu);
  }

  /**
   * Before an entry of a table changes.
   * @param owed of the call that must have invalidated it when it returns, if there is one
   */
  stored(
    recorded: RecordedTable,
    index: number,
    low: number,
    high: number,
    cpu: number,
    owed?: Owed,
  ): void {
    this.#dropped = false;
    const table = this.#tables.byId(recorded.id);
    if (table === undefined) return;
    const oldLow = recorded.words[2 * index] as number;
    const oldHigh = recorded.words[2 * index + 1] as number;
    if (oldLow & 1) {
      if (table.space.held.size > 0)
        this.#fromValid(table, index, oldLow, oldHigh, low, high, cpu, owed);
    } else if (low & 1) this.#make(table, index, low, high);
    if (recorded.level < 3 && isTable({ low }, recorded.level)) {
      this.#stored = { low, high };
      this.#tables.leadsTo(table, index, low, high);
    }
  }

  /** No TLB may hold any more what a call made invalid. */
  isDue({ entries }: Owed): void {
    for (const { broken, low, high } of entries) {
      const { missing } = broken;
      if (missing !== undefined) this.#report(staysInTlb, missing, broken, low, high);
    }
  }

  invalidated(insn: number, operand: bigint, cpu: number): void {
    this.#dropped = false;
    const what = decodeTlbi(insn, operand, this.#registers.meaning.lpa2);
    if (what === undefined) return;
    this.#pending.invalidate(cpu, what, this.#registers.granule);
    if (what.range === undefined && what.asid === undefined)
      this.#flushing.set(cpu, what.broadcast || this.#flushing.get(cpu) === true);
  }

  barrier(insn: number, cpu: number): void {
    this.#dropped = false;
    const flushes = this.#flushing.get(cpu);
    if (flushes === undefined && !this.#pending.waits(cpu)) return;
    const what = decodeBarrier(insn);
    if (what === undefined) return;
    this.#pending.barrier(cpu, what, this.#isAlone(cpu));
    if (flushes === undefined || !what.full) return;
    this.#contexts.flushed(flushes && !what.own ? undefined : cpu);
    this.#flushing.delete(cpu);
  }

  register(insn: number, value: bigint, cpu: number): void {
    this.#dropped = false;
    this.#registers.write(insn, value, cpu, this.#contexts);
    this.#tables.pageShift = Math.log2(this.#registers.granule);
  }

  #spaceOf({ pa, upper }: RecordedTable): Space {
    if (upper) return this.#kernel;
    return { held: this.#contexts.ofRoot(pa), loose: new Map(), upper };
  }

  #isAlone(cpu: number): boolean {
    const { upper } = this.#contexts;
    return upper.size === 0 || (upper.size === 1 && upper.has(cpu * 65536));
  }

  /** An entry that a TLB may hold changes. */
  #fromValid(
    table: Table,
    index: number,
    oldLow: number,
    oldHigh: number,
    low: number,
    high: number,
    cpu: number,
    owed: Owed | undefined,
  ): void {
    const { level } = table.recorded;
    const old = this.#brokenAt(table, index, oldLow, oldHigh, cpu);
    if ((low & 1) === 0) {
      this.#pending.broke(table, index, old);
      owed?.entries.push({ broken: old, low, high });
      if (old.wasTable) this.#free(old);
      return;
    }
    let why = needsBreak(oldLow, oldHigh, low, high, level, this.#registers.meaning);
    if (why === undefined) return;
    if (old.wasTable) {
      const child = this.#tables.at(addressIn(oldLow, oldHigh));
      if (!isTable({ low }, level) && child)
        why = this.#changes(child, table, index, low, high) ?? why;
      old.table = undefined;
      this.#pending.loosen(old);
      this.#free(old);
    } else if (isTable({ low }, level)) {
      // What the table translates is known when it is linked.
      const pa = addressIn(low, high);
      const child = this.#tables.at(pa);
      if (child) why = this.#changes(child, table, index, oldLow, oldHigh) ?? why;
      else this.#replaced = { pa, table, index, low: oldLow, high: oldHigh };
    }
    this.#report(why, undefined, old, low, high);
  }

  #make(table: Table, index: number, low: number, high: number): void {
    const { level } = table.recorded;
    const broken = table.pending[index];
    if (broken !== undefined) this.#remake(broken, low, high, level);
    const { loose } = table.space;
    if (loose.size > 0) {
      const earlier = loose.get(keyOf(pageAt(table, index), level));
      if (earlier !== undefined) this.#remake(earlier, low, high, level);
    }
    if (table.isRoot) this.#contexts.filled();
  }

  #remake(broken: Broken, low: number, high: number, level: number): void {
    const { missing } = broken;
    const why = needsBreak(broken.low, broken.high, low, high, level, this.#registers.meaning);
    if (why !== undefined && missing !== undefined) this.#report(why, missing, broken, low, high);
    this.#pending.settle(broken);
    // The table itself may still be reached.
    if (why !== undefined) broken.missing = broken.wasTable ? missing : undefined;
  }

  /** The entries that a table has when it is linked. */
  #checkAll(table: Table): void {
    const { words, level } = table.recorded;
    for (let index = 0; 2 * index < words.length; index++) {
      const low = words[2 * index] as number;
      if ((low & 1) === 0) continue;
      const earlier = table.space.loose.get(keyOf(pageAt(table, index), level));
      if (earlier) this.#remake(earlier, low, words[2 * index + 1] as number, level);
    }
  }

  /** What a table that is no longer linked translated is still in the TLB. */
  #loosenLeaves(table: Table, cpu: number): void {
    const { words, level } = table.recorded;
    for (let index = 0; 2 * index < words.length; index++) {
      const low = words[2 * index] as number;
      if ((low & 1) === 0 || isTable({ low }, level)) continue;
      const high = words[2 * index + 1] as number;
      this.#pending.loosen(this.#brokenAt(table, index, low, high, cpu));
    }
  }

  #brokenAt(table: Table, index: number, low: number, high: number, cpu: number): Broken {
    const { space, unit, recorded } = table;
    return {
      space,
      table,
      index,
      page: pageAt(table, index),
      pages: unit,
      level: recorded.level,
      low,
      high,
      wasTable: isTable({ low }, recorded.level),
      cpu,
      missing: 'a DSB between the break and the TLBI',
      orderedForItself: false,
      early: undefined,
      left: space.upper ? undefined : [...space.held],
    };
  }

  #free(broken: Broken): void {
    this.#freed.left(addressIn(broken.low, broken.high), broken);
  }

  /** A block gave way to this table: that it is another size is told; is it all? */
  #becameTable(
    { table: parent, index, low, high }: { table: Table; index: number; low: number; high: number },
    table: Table,
  ): void {
    const why = this.#changes(table, parent, index, low, high);
    if (why === undefined) return;
    const old = this.#brokenAt(parent, index, low, high, 0);
    this.#report(why, undefined, old, this.#stored.low, this.#stored.high);
  }

  #changes(child: Table, parent: Table, index: number, low: number, high: number) {
    const block = { page: pageAt(parent, index), low, high };
    return translationChanges(this.#tables, child, block, this.#registers.meaning);
  }

  #report(
    { reason, upTo }: Forbidden,
    missing: Missing | undefined,
    { space, page, level, low: oldLow, high: oldHigh }: Broken,
    low: number,
    high: number,
  ): void {
    const claimed = this.#contexts.levelOf(space.held);
    const violation = { reason, upTo, missing, claimed, page, level, oldLow, oldHigh, low, high };
    this.#found(violation);
  }
}
