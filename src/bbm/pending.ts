// SPDX-License-Identifier: GPL-2.0-only
import type { Barrier } from './barrier.ts';
import { asidOf, cpuOf } from './contexts.ts';
import { type Broken, keyOf, type Missing, type Space, type Table } from './tables.ts';
import type { Invalidation } from './tlbi.ts';

const notGlobal = 1 << 11;

/**
 * The broken entries, and what barriers and TLB maintenance do for them (DDI 0487 D8.16.1, D8.17,
 * B2.3.12).
 */
export class PendingEntries {
  #granule = 4096;
  readonly #tables = new Set<Table>();
  readonly #spaces = new Set<Space>();
  /** By CPU, those that wait for its DSB: before a TLBI can reach them, and after one has. */
  readonly #stored: Broken[][] = [];
  readonly #broadcast: Broken[][] = [];
  readonly #local: Broken[][] = [];

  /** An entry of a table becomes invalid. */
  broke(table: Table, index: number, entry: Broken): void {
    if (table.pending[index] === undefined) table.waiting++;
    table.pending[index] = entry;
    if (table.waiting === 1) this.#tables.add(table);
    listOf(this.#stored, entry.cpu).push(entry);
  }

  /** What it translates is no longer reached by the tables. */
  loosen(entry: Broken): void {
    entry.table = undefined;
    entry.space.loose.set(keyOf(entry.page, entry.level), entry);
    this.#spaces.add(entry.space);
    if (entry.missing === first) listOf(this.#stored, entry.cpu).push(entry);
  }

  /** No TLB holds it, or something else has taken its place. */
  settle(entry: Broken): void {
    entry.missing = undefined;
    const { table, index, space } = entry;
    if (table?.pending[index] === entry) {
      table.pending[index] = undefined;
      table.waiting--;
    } else if (table === undefined) {
      const key = keyOf(entry.page, entry.level);
      if (space.loose.get(key) === entry) space.loose.delete(key);
    }
  }

  /** Whether a DSB of a CPU does anything. */
  waits(cpu: number): boolean {
    return (
      (this.#stored[cpu]?.length ?? 0) > 0 ||
      (this.#broadcast[cpu]?.length ?? 0) > 0 ||
      (this.#local[cpu]?.length ?? 0) > 0
    );
  }

  /** @param alone whether no other CPU has translations */
  barrier(cpu: number, { stores, full, own }: Barrier, alone: boolean): void {
    const far = alone || !own;
    const stored = this.#stored[cpu];
    if (stores && stored && stored.length > 0) {
      let kept = 0;
      for (const entry of stored)
        if (!this.#ordered(entry, far || isOwn(entry, cpu))) stored[kept++] = entry;
      stored.length = kept;
    }
    if (!full) return;
    this.#complete(this.#local[cpu]);
    if (far) this.#complete(this.#broadcast[cpu]);
  }

  /** @param granule of the tables, in bytes */
  invalidate(cpu: number, what: Invalidation, granule: number): void {
    const { range } = what;
    this.#granule = granule;
    for (const table of this.#tables) {
      if (table.waiting === 0) this.#tables.delete(table);
      else if (range === undefined)
        for (const entry of table.pending) this.#reach(entry, what, cpu);
      else this.#reachIn(table, range, what, cpu);
    }
    for (const space of this.#spaces) {
      if (space.loose.size === 0) this.#spaces.delete(space);
      for (const entry of space.loose.values())
        if (range === undefined || covers(range, entry)) this.#reach(entry, what, cpu);
    }
  }

  /** Entries of which a TLBI covers any address: that is enough for a whole one. */
  #reachIn(
    table: Table,
    { start, end }: { start: number; end: number },
    what: Invalidation,
    cpu: number,
  ): void {
    const { page, unit, pending } = table;
    const from = Math.max(0, Math.floor((start - page) / unit));
    const to = Math.min(pending.length, Math.ceil((end - page) / unit));
    for (let index = from; index < to; index++) this.#reach(pending[index], what, cpu);
  }

  #reach(entry: Broken | undefined, what: Invalidation, cpu: number): void {
    if (entry?.missing === undefined) return;
    if (entry.missing === first) {
      const isLocal = entry.orderedForItself && !what.broadcast && cpu === entry.cpu;
      entry.early = isLocal ? 'a TLBI that reaches all CPUs' : 'a TLBI after the first DSB';
      return;
    }
    const isGlobal = !entry.wasTable && (entry.low & notGlobal) === 0;
    if (isGlobal && !what.global) return;
    const isMeant =
      (what.level ?? entry.level) === entry.level &&
      (what.granule ?? this.#granule) === this.#granule;
    const lack = isMeant
      ? lackOf(entry, what, cpu, isGlobal ? undefined : what.asid)
      : 'a TLBI whose hint is right';
    if (lack === undefined) {
      entry.missing = last;
      listOf(what.broadcast ? this.#broadcast : this.#local, cpu).push(entry);
    } else if (entry.missing !== last) entry.missing = lack;
  }

  /** @returns whether a DSB has done its part for an entry */
  #ordered(entry: Broken, reaches: boolean): boolean {
    if (entry.missing !== first) return true;
    if (reaches) entry.missing = entry.early ?? 'a TLBI';
    else entry.orderedForItself = true;
    return reaches;
  }

  #complete(entries: Broken[] | undefined): void {
    if (entries === undefined || entries.length === 0) return;
    for (const entry of entries) if (entry.missing === last) this.settle(entry);
    entries.length = 0;
  }
}

const first = 'a DSB between the break and the TLBI';
const last = 'a DSB after the TLBI';

/**
 * What a TLBI does not reach of an entry that it is about; several together may reach all.
 * @param asid undefined where it reaches the translations of every one
 */
function lackOf(
  entry: Broken,
  { broadcast, lastLevelOnly }: Invalidation,
  cpu: number,
  asid: number | undefined,
): Missing | undefined {
  if (entry.wasTable && lastLevelOnly) return 'a TLBI of walk caches, too';
  if (broadcast && asid === undefined) return undefined;
  // Any ASID may be the one that a CPU translates the upper half with.
  if (entry.space.upper && asid !== undefined) return 'a TLBI of every ASID';
  const left = (entry.left ?? [...entry.space.held]).filter(
    (context) =>
      !(broadcast || cpuOf(context) === cpu) || !(asid === undefined || asidOf(context) === asid),
  );
  entry.left = left;
  if (left.length === 0) return undefined;
  return asid === undefined || left.some((context) => asidOf(context) === asid)
    ? 'a TLBI that reaches all CPUs'
    : 'a TLBI of every ASID';
}

/** Whether no other CPU may hold what an entry was. */
function isOwn({ left, space }: Broken, cpu: number): boolean {
  for (const context of left ?? space.held) if (cpuOf(context) !== cpu) return false;
  return true;
}

const covers = ({ start, end }: { start: number; end: number }, { page, pages }: Broken) =>
  page < end && page + pages > start;

function listOf(lists: Broken[][], cpu: number): Broken[] {
  let list = lists[cpu];
  if (list === undefined) lists[cpu] = list = [];
  return list;
}
