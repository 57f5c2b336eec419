// SPDX-License-Identifier: GPL-2.0-only
import type { BootContext } from '../../../src/diff/context.ts';
import { everyInstant } from '../../../src/diff/instants/index.ts';
import type { Recording } from '../../../src/evidence/capture.ts';
import type { RecordedFunction } from '../../../src/linux/recorded-functions.ts';
import { Events, kinds } from '../../evidence/recorded-events.ts';
import { given } from '../../given.ts';
import { MiB, soundContext } from '../synthetic.ts';

const ramBase = 0x4000_0000;
/** Where tables of the boot are. */
const firstTable = ramBase + 48 * MiB;
const ttbr1 = 0xd5182020;

/** What is recorded of the functions that the tests call. */
const counts: Record<string, [number, returns: boolean]> = {
  paging_init: [0, false],
  mark_linear_text_alias_ro: [0, false],
  mark_rodata_ro: [0, false],
  __set_fixmap: [3, false],
  __kpti_install_ng_mappings: [1, false],
  __apply_alternatives_multi_stop: [1, false],
  split_kernel_leaf_mapping_locked: [1, true],
  linear_map_maybe_split_to_ptes: [1, false],
  arch_add_memory: [3, true],
  set_memory_ro: [2, true],
  set_memory_x: [2, true],
  set_memory_nx: [2, true],
  set_memory_rw: [2, true],
  set_memory_valid: [3, true],
  set_direct_map_invalid_noflush: [1, true],
  set_direct_map_default_noflush: [1, true],
  realm_set_memory_decrypted: [2, true],
  realm_set_memory_encrypted: [2, true],
};
const functions: RecordedFunction[] = Object.entries(counts).map(([name, [count, returns]]) => ({
  name,
  role: 'operation',
  arguments: count,
  returns,
}));

interface Table {
  id: number;
  pa: number;
}

/**
 * A recording written by hand, of a machine with 4K pages and 48 bits: what it does to addresses
 * becomes stores and tables as the recorder has them.
 */
export class MadeBoot {
  readonly boot: BootContext;
  readonly #events = new Events();
  readonly #last = new Map<string, bigint>();
  readonly #moments: Recording['moments'] = [];
  readonly #callers: string[] = [];
  readonly #calls = new Map<string, number>();
  /** By the half and the address that they begin with, and their level. */
  readonly #tables = new Map<string, Table>();
  #nextPa = firstTable;

  constructor(boot: BootContext = soundContext()) {
    this.boot = boot;
    for (const insn of [0xf9000001, ttbr1]) this.#events.add(kinds.site).change(0n).add(insn);
    this.cpu(0).root();
  }

  cpu(number: number): this {
    this.#events.add(kinds.cpu, number);
    return this;
  }

  time(microseconds: number): this {
    this.#events.add(kinds.time, microseconds);
    return this;
  }

  /** The CPU sets TTBR1_EL1. */
  root(): this {
    const { pa } = this.#table(0xffff_0000_0000_0000n, -1);
    this.#events.add(kinds.msr, 2);
    this.#change('ttbr1', BigInt(pa));
    return this;
  }

  /** Stores a page's descriptor, or a block's at another level. */
  store(va: bigint, descriptor: bigint, level = 3): this {
    this.#set(this.#table(va, level), va, level, descriptor);
    return this;
  }

  /** Physical address of the table that holds an address' entry; it is made. */
  tableOf(va: bigint, level = 3): number {
    return this.#table(va, level).pa;
  }

  /** The last level of tables for an address is linked, with its first entries and attributes. */
  linked(va: bigint, entries: readonly bigint[], attributes = 0n): this {
    const table = this.#newTable(va, 3);
    this.#set(this.#table(va, 2), va, 2, BigInt(table.pa) | 3n | attributes);
    this.#told(table, 3, va, entries);
    return this;
  }

  /** The last level of tables for an address is taken out. */
  unlinked(va: bigint): this {
    const { id } = this.#table(va, 3);
    this.#set(this.#table(va, 2), va, 2, 0n);
    this.#events.add(kinds.unlink, id);
    return this;
  }

  /** Physical address of the table that comes next. */
  get nextTable(): number {
    return this.#nextPa;
  }

  /** A recorded function runs; what `inside` does belongs to it. */
  call(name: string, args: bigint[], inside: () => void, { result = 0n, caller = 'caller' } = {}) {
    const [count, returns] = given(counts[name]);
    const key = `${name} ${caller}`;
    let number = this.#calls.get(key);
    if (number === undefined) {
      number = this.#calls.size + 1;
      this.#calls.set(key, number);
      this.#events
        .add(
          kinds.call,
          functions.findIndex((each) => each.name === name),
        )
        .change(8n);
      this.#callers.push(`${caller}+0x8`);
    }
    this.#events.add(kinds.enter, number);
    for (let at = 0; at < count; at++) this.#change(`${key} ${at}`, args[at] ?? 0n);
    inside();
    this.#events.add(kinds.leave, number);
    if (returns) this.#change(`${key} result`, result);
    return this;
  }

  checkpoint(checkpoint: Recording['moments'][number]['checkpoint']): this {
    this.#moments.push({ checkpoint, bytes: this.#events.bytes.length });
    return this;
  }

  /** Ids of what is found, and the details. */
  findings() {
    const recording: Recording = {
      functions,
      ramBase,
      moments: this.#moments,
      sites: ['', '__set_pte+0x4', 'cpu_replace_ttbr1+0x8'],
      callers: this.#callers,
      events: this.#events.bytes,
    };
    return everyInstant({ ...this.boot, evidence: { ...this.boot.evidence, recording } });
  }

  get ids(): string[] {
    return this.findings().map(({ id }) => id);
  }

  #change(what: string, value: bigint): void {
    this.#events.change(value - (this.#last.get(what) ?? 0n));
    this.#last.set(what, value);
  }

  #set({ id }: Table, va: bigint, level: number, value: bigint): void {
    this.#events.add(kinds.store, 1);
    this.#change('table', BigInt(id));
    this.#change('index', (va >> BigInt(12 + 9 * (3 - level))) & 511n);
    this.#change('value', value);
  }

  /** The table with the entry of an address at a level, linked from the one above it; -1: the root. */
  #table(va: bigint, level: number): Table {
    const above = Math.max(level, 0);
    const known = this.#tables.get(keyOf(va, above));
    if (known) return known;
    const parent = above === 0 ? undefined : this.#table(va, above - 1);
    const table = this.#newTable(va, above);
    if (parent) this.#set(parent, va, above - 1, BigInt(table.pa) | 3n);
    this.#told(table, above, va, []);
    return table;
  }

  #newTable(va: bigint, level: number): Table {
    const table = { id: this.#tables.size + 1, pa: this.#nextPa };
    this.#nextPa += 4096;
    this.#tables.set(keyOf(va, level), table);
    return table;
  }

  #told({ pa }: Table, level: number, va: bigint, entries: readonly bigint[]): void {
    const upper = Number(va >> 63n === 1n);
    this.#events.add(kinds.table, (pa - ramBase) / 8, level + 1, upper, 512, entries.length);
    for (const [index, entry] of entries.entries()) this.#events.add(Math.min(index, 1), entry);
  }
}

/** A table of one half, level and first address. */
function keyOf(va: bigint, level: number): string {
  const bits = BigInt(12 + 9 * (4 - level));
  return level === 0 ? `root ${va >> 63n}` : `${level} ${va >> bits}`;
}
