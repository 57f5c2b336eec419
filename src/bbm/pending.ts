// SPDX-License-Identifier: GPL-2.0-only
import type { Descriptor } from '../vmsa/descriptor.ts';
import type { Invalidation } from './tlbi.ts';

/** What is still to be done before a broken entry may be made again. */
export type Missing =
  | 'a DSB between the break and the TLBI'
  | 'a TLBI'
  | 'a DSB after the TLBI'
  | 'a TLBI that reaches all CPUs'
  | 'a TLBI of walk caches, too';

/** An entry that was broken, as long as a TLB may still hold what it was. */
export interface Broken {
  /** First virtual address that it translates, and the bytes that it does. */
  va: bigint;
  size: bigint;
  level: number;
  old: Descriptor;
  wasTable: boolean;
  /** The CPU that broke it. */
  cpu: number;
  missing: Missing;
}

/**
 * The broken entries of one half of the address space, and what barriers and TLB maintenance do for
 * them (DDI 0487 D8.16.1, D8.17, B2.3.12).
 */
export class PendingEntries {
  readonly #bySlot = new Map<string, Broken>();
  /** Those that wait for a DSB of a CPU: before a TLBI can reach them, and after it has. */
  readonly #stored = new Map<number, Set<Broken>>();
  readonly #invalidated = new Map<number, Set<Broken>>();

  get size(): number {
    return this.#bySlot.size;
  }

  at(va: bigint, level: number): Broken | undefined {
    return this.#bySlot.get(slotOf(va, level));
  }

  broke(entry: Omit<Broken, 'missing'>): void {
    const broken: Broken = { ...entry, missing: 'a DSB between the break and the TLBI' };
    this.#bySlot.set(slotOf(entry.va, entry.level), broken);
    setOf(this.#stored, entry.cpu).add(broken);
  }

  /** A new entry takes the place of a broken one. */
  made(broken: Broken): void {
    this.#bySlot.delete(slotOf(broken.va, broken.level));
    this.#stored.get(broken.cpu)?.delete(broken);
    for (const set of this.#invalidated.values()) set.delete(broken);
  }

  /** @param full of loads and stores: only such a one completes a TLBI */
  barrier(cpu: number, full: boolean): void {
    for (const broken of setOf(this.#stored, cpu))
      if (broken.missing === 'a DSB between the break and the TLBI') broken.missing = 'a TLBI';
    this.#stored.delete(cpu);
    if (!full) return;
    for (const broken of setOf(this.#invalidated, cpu)) this.#clean(broken);
    this.#invalidated.delete(cpu);
  }

  /** @param alone whether no other CPU has translations */
  invalidate(cpu: number, what: Invalidation, alone: boolean): void {
    for (const broken of this.#reached(what)) {
      if (broken.missing === 'a DSB between the break and the TLBI') continue;
      if (what.level !== undefined && what.level !== broken.level) continue;
      if (!what.broadcast && !alone) broken.missing = 'a TLBI that reaches all CPUs';
      else if (broken.wasTable && what.lastLevelOnly) broken.missing = 'a TLBI of walk caches, too';
      else {
        broken.missing = 'a DSB after the TLBI';
        setOf(this.#invalidated, cpu).add(broken);
      }
    }
  }

  #clean(broken: Broken): void {
    const slot = slotOf(broken.va, broken.level);
    if (this.#bySlot.get(slot) === broken) this.#bySlot.delete(slot);
  }

  /** Entries of which a TLBI covers any address: that is enough for a whole one. */
  *#reached({ range }: Invalidation): Iterable<Broken> {
    if (range === undefined) {
      yield* this.#bySlot.values();
      return;
    }
    const { start, end } = range;
    // Where much waits (lazy vunmap), most TLBIs are of one page, and about nothing that does.
    if (this.#bySlot.size > few && end - start <= 0x1000n) {
      yield* this.#around(start);
      return;
    }
    for (const broken of this.#bySlot.values())
      if (broken.va < end && broken.va + broken.size > start) yield broken;
  }

  *#around(address: bigint): Iterable<Broken> {
    for (const shift of shifts) {
      const va = (address >> shift) << shift;
      for (let level = 0; level <= 3; level++) {
        const broken = this.at(va, level);
        if (broken?.size === 1n << shift) yield broken;
      }
    }
  }
}

/** So many are looked through faster than by address. */
const few = 64;
/** log2 of what entries translate, over all granules and levels (DDI 0487 D8.2). */
const shifts = [12n, 14n, 16n, 21n, 25n, 29n, 30n, 36n, 39n, 42n, 47n, 48n];

const slotOf = (va: bigint, level: number): string => `${level}:${va}`;

function setOf(map: Map<number, Set<Broken>>, cpu: number): Set<Broken> {
  const found = map.get(cpu);
  if (found) return found;
  const fresh = new Set<Broken>();
  map.set(cpu, fresh);
  return fresh;
}
