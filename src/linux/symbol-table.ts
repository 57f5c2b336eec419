// SPDX-License-Identifier: GPL-2.0-only
import { partitionPoint } from '../partition-point.ts';

/** A symbol of a kernel Image, at its link address (its address in a `nokaslr` boot). */
interface KernelSymbol {
  name: string;
  /** The letter of nm(1): T/t text, D/d data, R/r read-only, B/b bss … */
  type: string;
  address: bigint;
}

/** The raw data of a table: parallel columns, sorted by address. */
export interface SymbolColumns {
  names: string[];
  /** The nm letter of each symbol as a character code. */
  types: Uint8Array;
  /** Distance in bytes of each symbol from `textBase`, ascending. */
  offsets: Float64Array;
  /** Link address of `_text`. */
  textBase: bigint;
}

/** What compilers append to the name of a function that they changed as a whole. */
const variant = /(\.(isra|constprop)\.\d+)+$|\.llvm\.\d+$/;

/**
 * Where code and data begin (ELF for the Arm 64-bit Architecture, 5.5.5). kallsyms leaves them out,
 * but for those that have a prefix from arch/arm64/kernel/pi/Makefile.
 */
const mappingSymbol = /^(__pi_)?\$[xd](\.|$)/;

/** The symbols of one kernel Image, searchable by name and by address. */
export class SymbolTable {
  /** Link address of `_text`, the first byte of the Image. */
  readonly textBase: bigint;
  readonly #columns: SymbolColumns;
  #byName: Map<string, number[]> | undefined;
  #variants: Map<string, string[]> | undefined;

  constructor(columns: SymbolColumns) {
    this.#columns = columns;
    this.textBase = columns.textBase;
  }

  get count(): number {
    return this.#columns.names.length;
  }

  /** Link address of a symbol; of the lowest one where several share the name. */
  address(name: string): bigint | undefined {
    const index = this.#indices(name)[0];
    return index === undefined ? undefined : this.#addressAt(index);
  }

  /**
   * Whether a link address is at or above the symbol `start` and below `end`, which the linker
   * script uses to mark parts of the Image; false where the symbols do not exist.
   */
  isBetween(address: bigint, start: string, end: string): boolean {
    const [first, beyond] = [this.address(start), this.address(end)];
    return first !== undefined && beyond !== undefined && address >= first && address < beyond;
  }

  /**
   * The symbol of a function: its own name, or the only variant that a compiler made of it, such as
   * GCC's NAME.isra.0 and NAME.constprop.0 and Clang's NAME.llvm.123. A piece of a function (.part,
   * .cold) does not count.
   */
  codeName(name: string): string | undefined {
    if (this.has(name)) return name;
    this.#variants ??= Map.groupBy(
      this.#columns.names.filter((each) => variant.test(each)),
      (each) => each.replace(variant, ''),
    );
    const [only, ...others] = this.#variants.get(name) ?? [];
    return others.length === 0 ? only : undefined;
  }

  has(name: string): boolean {
    return this.#indices(name).length > 0;
  }

  /**
   * Link addresses of all symbols of that name, ascending: several static functions often share a
   * name.
   */
  all(name: string): bigint[] {
    return this.#indices(name).map((index) => this.#addressAt(index));
  }

  /**
   * Bytes from a symbol to the next one at a higher address; undefined for an unknown or the last
   * symbol.
   */
  size(name: string): bigint | undefined {
    const index = this.#indices(name)[0];
    if (index === undefined) return undefined;
    const { offsets } = this.#columns;
    const offset = offsets[index] as number;
    const next = offsets[this.#firstAbove(offset)];
    return next === undefined ? undefined : BigInt(next - offset);
  }

  /**
   * The symbol that covers a link address, and the distance of the address from its start in bytes.
   * Of several symbols at one address it is the first, as in the kernel's own lookups. Undefined
   * before the first symbol and from the last one on.
   */
  nameAt(address: bigint): { name: string; offset: bigint } | undefined {
    const { offsets, names } = this.#columns;
    const distance = Number(address - this.textBase);
    const next = this.#firstAbove(distance);
    if (next === offsets.length) return undefined;
    const isName = (index: number) => !mappingSymbol.test(names[index] as string);
    let index = next - 1;
    while (index >= 0 && !isName(index)) index--;
    if (index < 0) return undefined;
    for (let same = index - 1; offsets[same] === offsets[index]; same--)
      if (isName(same)) index = same;
    return { name: names[index] as string, offset: BigInt(distance - (offsets[index] as number)) };
  }

  /** Link addresses of all symbols whose name has a pattern, ascending; quicker than list(). */
  matching(pattern: RegExp): bigint[] {
    return this.#columns.names.flatMap((name, index) =>
      pattern.test(name) ? [this.#addressAt(index)] : [],
    );
  }

  /** All symbols in order of address. */
  list(): KernelSymbol[] {
    const { names, types } = this.#columns;
    return names.map((name, index) => ({
      name,
      type: String.fromCharCode(types[index] as number),
      address: this.#addressAt(index),
    }));
  }

  #addressAt(index: number): bigint {
    return this.textBase + BigInt(this.#columns.offsets[index] as number);
  }

  /**
   * Index of the first symbol whose offset is above `distance`; the number of symbols when there is
   * none.
   */
  #firstAbove(distance: number): number {
    return partitionPoint(this.#columns.offsets, (offset) => offset <= distance);
  }

  /**
   * The map of some 200,000 names is built on first use, so that callers who only look up addresses
   * do not pay for it.
   */
  #indices(name: string): readonly number[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const [index, each] of this.#columns.names.entries()) {
        const found = this.#byName.get(each);
        if (found) found.push(index);
        else this.#byName.set(each, [index]);
      }
    }
    return this.#byName.get(name) ?? [];
  }
}
