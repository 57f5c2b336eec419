// SPDX-License-Identifier: GPL-2.0-only
import type { Half } from '../../src/vmsa/regime.ts';
import type { Granule, SystemRegisters } from '../../src/vmsa/types.ts';
import type { RamReader } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';

/**
 * An encoder of VMSAv8-64 tables, written from the architecture's descriptor figures and not from
 * the decoder: values are whole 64-bit bigints, the shape of the tables is found from the pages
 * upwards.
 */

/** What the registers of a test regime say. */
export interface Setup {
  half: Half;
  granule: Granule;
  vaBits: number;
  /**
   * Where the upper output address bits stand: nowhere, bits 15:12 (64K), or bits 9:8 (TCR_EL1.DS).
   */
  wide: 'no' | 'lpa' | 'lpa2';
  asid: bigint;
  /** Further bits of TCR_EL1. */
  tcr?: bigint;
}

/** The output address field of a page, block or table descriptor. */
export function encodeAddress(setup: Setup, pa: bigint): bigint {
  if (setup.wide === 'lpa') return BigInt.asUintN(48, pa) | ((pa >> 48n) << 12n);
  if (setup.wide === 'lpa2') return BigInt.asUintN(50, pa) | ((pa >> 50n) << 8n);
  return pa;
}

/** A memory-attribute byte for each index, none reserved. */
const MAIR = 0x44_f0_bb_ff_0c_08_04_00n;

/** Registers for the setup with its first table at `root`. */
export function encodeRegisters(setup: Setup, root: bigint): SystemRegisters {
  const sizeField = BigInt(64 - setup.vaBits);
  const tg0 = { 4096: 0n, 65536: 1n, 16384: 2n }[setup.granule];
  const tg1 = { 16384: 1n, 4096: 2n, 65536: 3n }[setup.granule];
  const lower = setup.half === 'ttbr0';
  const own = lower ? sizeField + (tg0 << 14n) : (sizeField << 16n) + (tg1 << 30n);
  // The other half gets a different granule and size, so that reading the wrong field shows.
  const other = lower
    ? (30n << 16n) + ((tg0 === 0n ? 1n : 2n) << 30n)
    : 30n + ((tg1 === 2n ? 1n : 0n) << 14n);
  const physical = setup.wide === 'no' ? 5n : 6n;
  const ds = setup.wide === 'lpa2' ? 1n << 59n : 0n;
  const base = setup.wide === 'no' ? root : (root % 2n ** 48n) + ((root / 2n ** 48n) << 2n);
  const ttbr = base + (setup.asid << 48n) + 1n;
  return {
    TTBR0_EL1: lower ? ttbr : 0xdead000n,
    TTBR1_EL1: lower ? 0xdead000n : ttbr,
    TCR_EL1: own + other + (physical << 32n) + ds + (setup.tcr ?? 0n),
    MAIR_EL1: MAIR,
    SCTLR_EL1: 1n,
  };
}

/** log2 of the bytes per entry from the first level to level 3. */
export function levelShifts(setup: Setup): number[] {
  const page = { 4096: 12, 16384: 14, 65536: 16 }[setup.granule];
  const perTable = { 4096: 9, 16384: 11, 65536: 13 }[setup.granule];
  const shifts = [page];
  while (given(shifts[0]) + perTable < setup.vaBits) shifts.unshift(given(shifts[0]) + perTable);
  return shifts;
}

/** Guest RAM as a set of tables; everything else lies outside. */
export class FakeRam implements RamReader {
  readonly size = 2 ** 40;
  readonly #tables = new Map<number, Uint32Array>();
  /** Where every table is handed out: a walk must not rely on one when it has read the next. */
  readonly #window = new Uint32Array(65536 / 4);

  add(pa: bigint, entries: number): void {
    this.#tables.set(Number(pa), new Uint32Array(entries * 2));
  }

  set(pa: bigint, index: number, value: bigint): void {
    const words = this.#words(pa);
    words[index * 2] = Number(value & 0xffff_ffffn);
    words[index * 2 + 1] = Number(value >> 32n);
  }

  get(pa: bigint, index: number): bigint {
    const words = this.#words(pa);
    return BigInt(given(words[index * 2])) | (BigInt(given(words[index * 2 + 1])) << 32n);
  }

  isFree(pa: bigint, index: number): boolean {
    const words = this.#words(pa);
    return words[index * 2] === 0 && words[index * 2 + 1] === 0;
  }

  table(pa: number, bytes: number): Uint32Array | undefined {
    const words = this.#tables.get(pa);
    if (words === undefined || words.length * 4 < bytes) return undefined;
    this.#window.fill(0xdead_beef);
    this.#window.set(words);
    return this.#window.subarray(0, bytes / 4);
  }

  #words(pa: bigint): Uint32Array {
    const words = this.#tables.get(Number(pa));
    if (words === undefined) throw new Error(`no table at ${pa}`);
    return words;
  }
}

/** A table as it was encoded. */
interface EncodedTable {
  pa: bigint;
  level: number;
  va: bigint;
  attributes: bigint;
}

/** Builds a tree of tables in a FakeRam. */
export class TableTree {
  readonly ram = new FakeRam();
  readonly tables: EncodedTable[] = [];
  readonly root: bigint;
  readonly base: bigint;
  readonly shifts: number[];
  readonly #setup: Setup;
  readonly #allocate: () => bigint;
  readonly #tableBits: () => { hierarchical: bigint; ignored: bigint };
  /** Table and hierarchical attributes by level and index path. */
  readonly #known = new Map<string, { pa: bigint; inherited: bigint }>();

  constructor(
    setup: Setup,
    root: bigint,
    allocate: () => bigint,
    tableBits: () => { hierarchical: bigint; ignored: bigint },
  ) {
    this.#setup = setup;
    this.#allocate = allocate;
    this.#tableBits = tableBits;
    this.root = root;
    this.base = setup.half === 'ttbr1' ? 2n ** 64n - 2n ** BigInt(setup.vaBits) : 0n;
    this.shifts = levelShifts(setup);
    this.ram.add(root, 2 ** (setup.vaBits - given(this.shifts[0])));
    this.tables.push({ pa: root, level: this.levelOf(0), va: this.base, attributes: 0n });
    this.#known.set('', { pa: root, inherited: 0n });
  }

  /** Architectural level of a depth below the first table. */
  levelOf(depth: number): number {
    return 4 - this.shifts.length + depth;
  }

  /** Writes one entry at `offset` bytes into the half; false when something is there already. */
  put(offset: bigint, depth: number, descriptor: bigint): { inherited: bigint } | false {
    const table = this.#tableAt(offset, depth);
    const index = this.#index(offset, depth);
    if (table === undefined || !this.ram.isFree(table.pa, index)) return false;
    this.ram.set(table.pa, index, descriptor);
    return { inherited: table.inherited };
  }

  /** Flips bits of the entry at `offset` bytes into the half. */
  flip(offset: bigint, depth: number, bits: bigint): void {
    const table = this.#tableAt(offset, depth);
    if (table === undefined) return;
    const index = this.#index(offset, depth);
    this.ram.set(table.pa, index, this.ram.get(table.pa, index) ^ bits);
  }

  /** The table at a depth that translates `offset`, made on the way; undefined below a block. */
  #tableAt(offset: bigint, depth: number): { pa: bigint; inherited: bigint } | undefined {
    let path = '';
    let table = this.#known.get(path) as { pa: bigint; inherited: bigint };
    for (let above = 0; above < depth; above++) {
      const index = this.#index(offset, above);
      path += `/${index}`;
      const known = this.#known.get(path);
      if (known === undefined && !this.ram.isFree(table.pa, index)) return undefined;
      table = known ?? this.#addTable(path, table, index, offset, above);
    }
    return table;
  }

  #addTable(
    path: string,
    above: { pa: bigint; inherited: bigint },
    index: number,
    offset: bigint,
    depth: number,
  ) {
    const pa = this.#allocate();
    const { hierarchical, ignored } = this.#tableBits();
    const attributes = (hierarchical << 59n) | ignored | 3n;
    this.ram.add(pa, this.#setup.granule / 8);
    this.ram.set(above.pa, index, attributes + encodeAddress(this.#setup, pa));
    const table = { pa, inherited: above.inherited | hierarchical };
    this.#known.set(path, table);
    const va =
      this.base +
      ((offset >> BigInt(given(this.shifts[depth]))) << BigInt(given(this.shifts[depth])));
    this.tables.push({ pa, level: this.levelOf(depth + 1), va, attributes });
    return table;
  }

  #index(offset: bigint, depth: number): number {
    const bits = depth === 0 ? this.#setup.vaBits : given(this.shifts[depth - 1]);
    return Number(BigInt.asUintN(bits, offset) >> BigInt(given(this.shifts[depth])));
  }
}
