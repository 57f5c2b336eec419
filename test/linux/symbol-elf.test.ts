// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { symbolElf } from '../../src/linux/symbol-elf.ts';
import { SymbolTable } from '../../src/linux/symbol-table.ts';
import { given } from '../given.ts';

const textBase = 0xffff_8000_8000_0000n;
const table = new SymbolTable({
  names: ['_text', 'static_function', 'linux_banner', '_end'],
  types: new TextEncoder().encode('TtDB'),
  offsets: new Float64Array([0, 16, 4096, 8192]),
  textBase,
});

/** Symbols of an ELF-64 file, as its own headers say where they are. */
function symbolsOf(image: Uint8Array): { name: string; value: bigint; info: number }[] {
  const view = new DataView(image.buffer);
  const headers = Number(view.getBigUint64(40, true));
  const section = (index: number) => {
    const at = headers + index * view.getUint16(58, true);
    const number = (offset: number) => Number(view.getBigUint64(at + offset, true));
    return {
      type: view.getUint32(at + 4, true),
      offset: number(24),
      size: number(32),
      link: view.getUint32(at + 40, true),
    };
  };
  const all = Array.from({ length: view.getUint16(60, true) }, (_, index) => section(index));
  const symtab = all.find(({ type }) => type === 2);
  if (!symtab) throw new Error('no symbol table');
  const strings = given(all[symtab.link]).offset;
  const text = (offset: number) => {
    const start = strings + offset;
    return new TextDecoder().decode(image.subarray(start, image.indexOf(0, start)));
  };
  return Array.from({ length: symtab.size / 24 }, (_, index) => {
    const at = symtab.offset + index * 24;
    return {
      name: text(view.getUint32(at, true)),
      value: view.getBigUint64(at + 8, true),
      info: view.getUint8(at + 4),
    };
  }).slice(1);
}

t.test('every symbol stands where it lies in this boot, local ones first', async (t) => {
  const slide = 0x1234_0000n;
  t.same(symbolsOf(symbolElf(table, slide)), [
    { name: 'static_function', value: textBase + slide + 16n, info: 0x02 },
    { name: '_text', value: textBase + slide, info: 0x12 },
    { name: 'linux_banner', value: textBase + slide + 4096n, info: 0x11 },
    { name: '_end', value: textBase + slide + 8192n, info: 0x11 },
  ]);
});
