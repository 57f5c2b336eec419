// SPDX-License-Identifier: GPL-2.0-only
import { checkUpdates, type UpdateSite } from '../../src/bbm/check-updates.ts';
import type { BbmLevel } from '../../src/bbm/needs-break.ts';
import type { RecordedFunction } from '../../src/linux/recorded-functions.ts';
import { Events, kinds } from '../evidence/recorded-events.ts';

/** Instructions as GNU as makes them, with X0 where they have an operand. */
export const insns = {
  store: 0xf9000001,
  ttbr0: 0xd5182000,
  ttbr1: 0xd5182020,
  tcr: 0xd5182040,
  sctlr: 0xd5181000,
  mair: 0xd518a200,
  'dsb ishst': 0xd5033a9f,
  'dsb ishld': 0xd503399f,
  'dsb ish': 0xd5033b9f,
  'dsb nshst': 0xd503369f,
  'dsb nsh': 0xd503379f,
  isb: 0xd5033fdf,
  vaale1is: 0xd50883e0,
  vaae1is: 0xd5088360,
  vale1is: 0xd50883a0,
  vae1is: 0xd5088320,
  vale1: 0xd50887a0,
  aside1is: 0xd5088340,
  vmalle1: 0xd508871f,
  vmalle1is: 0xd508831f,
} as const;
export type Insn = keyof typeof insns;
const names = Object.keys(insns) as Insn[];
const siteOf = (name: Insn) => names.indexOf(name) + 1;

export const ramBase = 0x4000_0000;
/** Physical addresses of the tables. */
export const [kernelRoot, kernelPtes, otherPtes, userRoot, userPmds, userPtes] = [
  0x4000_1000, 0x4000_2000, 0x4000_3000, 0x4000_4000, 0x4000_5000, 0x4000_6000,
] as const;

/** TLBI's operand of an address, as __TLBI_VADDR() of tlbflush.h has it. */
export const operandOf = (address: bigint, asid = 0n): bigint =>
  ((address >> 12n) & ((1n << 44n) - 1n)) | (asid << 48n);

/**
 * A recording, event by event. Its tables of user space begin at level 0, those of the kernel at
 * level 2.
 */
export class Steps {
  readonly #events = new Events();
  readonly #last = new Map<string, bigint>();
  readonly #tables: number[] = [];
  readonly #functions: RecordedFunction[] = [];

  constructor() {
    for (const name of names) this.#events.add(kinds.site).change(0n).add(insns[name]);
  }

  #change(what: string, value: bigint): void {
    this.#events.change(value - (this.#last.get(what) ?? 0n));
    this.#last.set(what, value);
  }

  cpu(number: number): this {
    this.#events.add(kinds.cpu, number);
    return this;
  }

  /** @param entries by index */
  table(pa: number, level: number, upper: boolean, entries: Record<number, bigint>): this {
    const used = Object.entries(entries).map(([index, value]) => [Number(index), value] as const);
    const distances = used.flatMap(([index, value], at) => [
      index - (used[at - 1]?.[0] ?? 0),
      value,
    ]);
    const head = [(pa - ramBase) / 8, level + 1, Number(upper), 512, used.length];
    this.#events.add(kinds.table, ...head, ...distances);
    this.#tables.push(pa);
    return this;
  }

  unlink(pa: number): this {
    this.#events.add(kinds.unlink, this.#tables.lastIndexOf(pa) + 1);
    return this;
  }

  store(pa: number, index: number, value: bigint): this {
    this.#events.add(kinds.store, siteOf('store'));
    this.#change('table', BigInt(this.#tables.lastIndexOf(pa) + 1));
    this.#change('index', BigInt(index));
    this.#change('value', value);
    return this;
  }

  /** A TLBI by its operand, or a register by its value. */
  write(name: Insn, value: bigint): this {
    this.#events.add(name.includes('1is') || name.startsWith('v') ? kinds.tlbi : kinds.msr);
    this.#events.add(siteOf(name));
    this.#change(name, value);
    return this;
  }

  barriers(...all: Insn[]): this {
    for (const name of all) this.#events.add(kinds.barrier, siteOf(name));
    return this;
  }

  /** A function is entered that is called from one place, without arguments. */
  enter(name: string): this {
    const known = this.#functions.findIndex((each) => each.name === name);
    if (known >= 0) this.#events.add(kinds.enter, known + 1);
    else {
      this.#functions.push({ name, role: 'operation', arguments: 0, returns: false });
      this.#events.add(kinds.call, this.#functions.length - 1).change(0n);
      this.#events.add(kinds.enter, this.#functions.length);
    }
    return this;
  }

  leave(name: string): this {
    const known = this.#functions.findIndex((each) => each.name === name);
    this.#events.add(kinds.leave, known + 1);
    return this;
  }

  /** An exception, or its return. */
  interrupted(from: boolean): this {
    this.#events.add(...(from ? [kinds.mark, 0] : [kinds.unmark]));
    return this;
  }

  /** @param levels of FEAT_BBM that the CPUs claim */
  check(levels: BbmLevel[] = [0, 0]): UpdateSite[] {
    const recording = {
      functions: this.#functions,
      ramBase,
      moments: [],
      sites: ['', ...names],
      callers: this.#functions.map(() => ''),
      events: this.#events.bytes,
    };
    return checkUpdates(recording, levels);
  }

  /** What is wrong, in words. */
  faults(levels?: BbmLevel[]): string[] {
    return this.check(levels).map(({ reason, missing }) => `${reason}: ${missing ?? 'live'}`);
  }
}
