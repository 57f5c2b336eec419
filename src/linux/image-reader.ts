// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolTable } from './symbol-table.ts';

/** Elf64_Rela (ELF for the Arm 64-bit Architecture, IHI 0056); sizes and offsets in bytes. */
const rela = { bytes: 24, type: 8, addend: 16 } as const;
const R_AARCH64_RELATIVE = 1027;

/** Reads data of a kernel Image by link address; 0 or '' for an address outside it. */
export class ImageReader {
  protected readonly symbols: SymbolTable;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  /** Read when the first pointer is. */
  #relocated: Map<bigint, bigint> | undefined;

  constructor(image: Uint8Array, symbols: SymbolTable) {
    this.symbols = symbols;
    this.#bytes = image;
    this.#view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  }

  u16(address: bigint): number {
    const offset = this.#offset(address, 2);
    return offset === undefined ? 0 : this.#view.getUint16(offset, true);
  }

  u32(address: bigint): number {
    const offset = this.#offset(address, 4);
    return offset === undefined ? 0 : this.#view.getUint32(offset, true);
  }

  /**
   * The value of a pointer after relocate_kernel() (arch/arm64/kernel/pi/relocate.c), without
   * KASLR.
   */
  pointer(address: bigint): bigint {
    this.#relocated ??= this.#relocations();
    return this.#relocated.get(address) ?? this.#u64(address);
  }

  /** @param most maximum number of bytes */
  text(address: bigint, most: number): string {
    const offset = this.#offset(address, 1);
    if (offset === undefined) return '';
    const bytes = this.#bytes.subarray(offset, offset + most);
    const end = bytes.indexOf(0);
    return String.fromCharCode(...bytes.subarray(0, end === -1 ? bytes.length : end));
  }

  /**
   * Without CONFIG_RELR, pointers are 0 in the Image and their values are in .rela.dyn, since
   * arch/arm64/Makefile links with --no-apply-dynamic-relocs. With CONFIG_RELR they are in place.
   */
  #relocations(): Map<bigint, bigint> {
    const [start, end] = ['__pi_rela_start', '__pi_rela_end'].map((name) =>
      this.symbols.address(name),
    );
    const values = new Map<bigint, bigint>();
    if (start === undefined || end === undefined) return values;
    for (
      let at = start;
      at < end && this.#offset(at, rela.bytes) !== undefined;
      at += BigInt(rela.bytes)
    ) {
      if (this.u32(at + BigInt(rela.type)) !== R_AARCH64_RELATIVE) continue;
      values.set(this.#u64(at), this.#u64(at + BigInt(rela.addend)));
    }
    return values;
  }

  #u64(address: bigint): bigint {
    const offset = this.#offset(address, 8);
    return offset === undefined ? 0n : this.#view.getBigUint64(offset, true);
  }

  #offset(address: bigint, bytes: number): number | undefined {
    const offset = Number(address - this.symbols.textBase);
    return offset >= 0 && offset + bytes <= this.#bytes.length ? offset : undefined;
  }
}
