// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolTable } from './symbol-table.ts';

/**
 * Sizes and numbers of ELF-64 (System V ABI, "Object Files"; ELF for the Arm 64-bit Architecture).
 */
const elf = {
  ...{ headerBytes: 64, sectionBytes: 64, symbolBytes: 24 },
  ...{ executable: 2, aarch64: 183 },
  ...{ symtab: 2, strtab: 3, nobits: 8 },
  ...{ alloc: 2n, execute: 4n },
  ...{ local: 0, global: 1, object: 1, func: 2 },
} as const;

/** Strings one after the other, each ended by NUL, with the offset of each; the first is empty. */
class StringTable {
  readonly #bytes: Uint8Array[] = [new Uint8Array(1)];
  size = 1;

  add(text: string): number {
    const at = this.size;
    const bytes = new TextEncoder().encode(`${text}\0`);
    this.#bytes.push(bytes);
    this.size += bytes.length;
    return at;
  }

  writeTo(image: Uint8Array, at: number): void {
    let place = at;
    for (const bytes of this.#bytes) {
      image.set(bytes, place);
      place += bytes.length;
    }
  }
}

interface Section {
  name: string;
  type: number;
  flags?: bigint;
  address?: bigint;
  offset: number;
  size: number;
  /** For a symbol table: the section with its strings, and how many of its symbols are local. */
  link?: number;
  locals?: number;
  entry?: number;
}

/**
 * An ELF file with nothing but a kernel's symbols at their addresses in this boot, for a debugger:
 * gdb's `symbol-file`, or crash.
 * @param slide bytes from a symbol's link address to its run address
 */
export function symbolElf(symbols: SymbolTable, slide: bigint): Uint8Array {
  const list = symbols.list();
  // Local symbols come first in an ELF symbol table.
  const ordered = [...list.filter(isLocal), ...list.filter((each) => !isLocal(each))];
  const names = new StringTable();
  const table = new DataView(new ArrayBuffer((ordered.length + 1) * elf.symbolBytes));
  for (const [index, symbol] of ordered.entries()) {
    const at = (index + 1) * elf.symbolBytes;
    const kind = /[tw]/i.test(symbol.type) ? elf.func : elf.object;
    table.setUint32(at, names.add(symbol.name), true);
    table.setUint8(at + 4, ((isLocal(symbol) ? elf.local : elf.global) << 4) | kind);
    // All are in the only section.
    table.setUint16(at + 6, 1, true);
    table.setBigUint64(at + 8, BigInt.asUintN(64, symbol.address + slide), true);
  }
  const end = list.at(-1)?.address ?? symbols.textBase;
  const titles = new StringTable();
  const symtabAt = elf.headerBytes;
  const namesAt = symtabAt + table.byteLength;
  const sections: Section[] = [
    {
      ...{
        name: '.text',
        type: elf.nobits,
        flags: elf.alloc | elf.execute,
        offset: elf.headerBytes,
      },
      ...{ address: symbols.textBase + slide, size: Number(end - symbols.textBase) },
    },
    {
      ...{ name: '.symtab', type: elf.symtab, offset: symtabAt, size: table.byteLength },
      ...{ link: 3, locals: list.filter(isLocal).length + 1, entry: elf.symbolBytes },
    },
    { name: '.strtab', type: elf.strtab, offset: namesAt, size: names.size },
  ];
  const titleOffsets = sections.map(({ name }) => titles.add(name));
  const ownTitle = titles.add('.shstrtab');
  const titlesAt = namesAt + names.size;
  const headersAt = Math.ceil((titlesAt + titles.size) / 8) * 8;
  const image = new Uint8Array(headersAt + (sections.length + 2) * elf.sectionBytes);
  image.set(new Uint8Array(table.buffer), symtabAt);
  names.writeTo(image, namesAt);
  titles.writeTo(image, titlesAt);
  const view = new DataView(image.buffer);
  writeHeader(view, headersAt, sections.length + 2);
  const titleSection = { name: '.shstrtab', type: elf.strtab, offset: titlesAt, size: titles.size };
  for (const [index, section] of [...sections, titleSection].entries()) {
    writeSection(
      view,
      headersAt + (index + 1) * elf.sectionBytes,
      section,
      titleOffsets[index] ?? ownTitle,
    );
  }
  return image;
}

/** nm(1) writes local symbols in lower case. */
function isLocal({ type }: { type: string }): boolean {
  return type === type.toLowerCase();
}

function writeHeader(view: DataView, headersAt: number, sections: number): void {
  // \x7fELF, 64-bit, little-endian, version 1.
  for (const [at, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].entries()) view.setUint8(at, byte);
  view.setUint16(16, elf.executable, true);
  view.setUint16(18, elf.aarch64, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(40, BigInt(headersAt), true);
  view.setUint16(52, elf.headerBytes, true);
  view.setUint16(58, elf.sectionBytes, true);
  view.setUint16(60, sections, true);
  view.setUint16(62, sections - 1, true);
}

function writeSection(view: DataView, at: number, section: Section, title: number): void {
  const { type, flags = 0n, address = 0n, offset, size, link = 0, locals = 0, entry = 0 } = section;
  view.setUint32(at, title, true);
  view.setUint32(at + 4, type, true);
  view.setBigUint64(at + 8, flags, true);
  view.setBigUint64(at + 16, BigInt.asUintN(64, address), true);
  view.setBigUint64(at + 24, BigInt(offset), true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setUint32(at + 40, link, true);
  view.setUint32(at + 44, locals, true);
  view.setBigUint64(at + 48, 1n, true);
  view.setBigUint64(at + 56, BigInt(entry), true);
}
