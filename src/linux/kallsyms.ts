// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import { kernelLinkBase } from './link-base.ts';
import { type SymbolColumns, SymbolTable } from './symbol-table.ts';

/**
 * Where scripts/kallsyms.c placed its tables, as byte offsets into the Image. Since 6.4 (commit
 * 404bad70fcf7, "scripts/kallsyms: change the output order") their order is num_syms, names,
 * markers, token_table, token_index, offsets, and up to 6.19 also relative_base. Nothing in the
 * Image points at them, so they are recognised by their contents.
 */
interface KallsymsTables {
  symbolCount: number;
  names: number;
  markers: number;
  tokenTable: number;
  tokenIndex: number;
  offsets: number;
}

const tokenCount = 256;
const tokenIndexBytes = tokenCount * 2;
/** One marker, the offset of a name, for every 256 names. */
const namesPerMarker = 256;
/** All of "0\0" … "9\0": each digit is always a token of its own, since some symbol contains it. */
const digitTokens = Uint8Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 0x30 + i / 2 : 0));
/** No token is longer than a symbol name may be (KSYM_NAME_LEN 512). */
const maxTokenTableBytes = tokenCount * 512;

/**
 * Decodes the symbol table that the kernel carries for itself (CONFIG_KALLSYMS) from an
 * uncompressed arm64 Image, so that addresses are known without a boot. Addresses are link
 * addresses: those of a `nokaslr` boot.
 *
 * @throws {PtdiffError} fault `image`, when the bytes hold no such table (stripped, truncated,
 * compressed or not a Linux kernel).
 */
export function kallsymsOfImage(image: Uint8Array): SymbolTable {
  // 32-bit views need an aligned start; a Buffer from Node's pool may not be aligned.
  const bytes = image.byteOffset % 8 === 0 ? image : image.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  const tables = findTables(bytes, words);
  const names = decodeNames(bytes, tables);
  const offsets = decodeOffsets(words, tables);
  const textBase = kernelLinkBase(words);
  requireAscending(offsets);
  return new SymbolTable({ ...names, offsets, textBase });
}

function findTables(bytes: Uint8Array, words: Uint32Array): KallsymsTables {
  for (let at = indexOfDigits(bytes, 0); at >= 0; at = indexOfDigits(bytes, at + 1)) {
    const tables = tablesAround(bytes, words, at);
    if (tables) return tables;
  }
  throw new PtdiffError(
    'image',
    'The kernel Image contains no kallsyms table: ptdiff needs an uncompressed, complete arm64 Image built with CONFIG_KALLSYMS=y (since Linux 6.4).',
  );
}

/**
 * Horspool's search: with a pattern of twenty bytes it is some ten times faster than comparing at
 * each byte. Every index is within the bytes, or within the table of 256 steps.
 */
function indexOfDigits(bytes: Uint8Array, from: number): number {
  const last = digitTokens.length - 1;
  const skip = new Uint8Array(256).fill(digitTokens.length);
  for (let i = 0; i < last; i++) skip[digitTokens[i] as number] = last - i;
  for (let at = from; at + last < bytes.length; at += skip[bytes[at + last] as number] as number) {
    let i = last;
    while (i >= 0 && bytes[at + i] === digitTokens[i]) i--;
    if (i < 0) return at;
  }
  return -1;
}

function tablesAround(
  bytes: Uint8Array,
  words: Uint32Array,
  digits: number,
): KallsymsTables | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(digits + maxTokenTableBytes, bytes.length - tokenIndexBytes);
  for (let tokenIndex = (digits + 23) & ~3; tokenIndex <= end; tokenIndex += 4) {
    if ((words[tokenIndex >>> 2] as number) << 16 !== 0) continue;
    const tokenTable = digits - view.getUint16(tokenIndex + 0x30 * 2, true);
    if (!isTokenIndex(bytes, view, tokenTable, tokenIndex)) continue;
    const before = tablesBefore(bytes, words, tokenTable);
    const offsets = tokenIndex + tokenIndexBytes;
    if (before && offsets + before.symbolCount * 4 <= bytes.length)
      return { ...before, tokenTable, tokenIndex, offsets };
  }
  return undefined;
}

/**
 * Each entry of the index is the start of a token, that is, just after the NUL of the previous one.
 */
function isTokenIndex(
  bytes: Uint8Array,
  view: DataView,
  tokenTable: number,
  tokenIndex: number,
): boolean {
  if (tokenTable <= 0) return false;
  for (let i = 1, previous = 0; i < tokenCount; i++) {
    const start = view.getUint16(tokenIndex + i * 2, true);
    if (
      start <= previous ||
      tokenTable + start >= tokenIndex ||
      bytes[tokenTable + start - 1] !== 0
    )
      return false;
    previous = start;
  }
  return true;
}

function tablesBefore(
  bytes: Uint8Array,
  words: Uint32Array,
  tokenTable: number,
): Pick<KallsymsTables, 'symbolCount' | 'names' | 'markers'> | undefined {
  // Where tables are aligned to 8 bytes (up to 6.19) the last word may be padding.
  for (const end of [tokenTable >>> 2, (tokenTable >>> 2) - 1]) {
    let first = end - 1;
    while (
      first > 0 &&
      words[first] !== 0 &&
      (words[first - 1] as number) < (words[first] as number)
    )
      first--;
    // With a single marker the start of the names would be ambiguous; kernels have hundreds.
    if (first < 0 || words[first] !== 0 || end - first < 2) continue;
    const found = findNames(bytes, words, first * 4, words.subarray(first, end));
    if (found) return { ...found, markers: first * 4 };
  }
  return undefined;
}

/**
 * The names come before the markers, and the count before the names. The last marker gives the
 * length of the names, except for the last 256, so only a small window remains. Within it, a walk
 * over the names meets every marker from one start only.
 */
function findNames(
  bytes: Uint8Array,
  words: Uint32Array,
  markersAt: number,
  markers: Uint32Array,
): { symbolCount: number; names: number } | undefined {
  const latest = markersAt - (markers[markers.length - 1] as number);
  const earliest = Math.max(8, latest - namesPerMarker * 512);
  for (let names = latest & ~3; names >= earliest; names -= 4) {
    for (const countAt of [names - 4, names - 8]) {
      const symbolCount = words[countAt >>> 2] as number;
      if (Math.ceil(symbolCount / namesPerMarker) !== markers.length) continue;
      const end = namesEnd(bytes, names, symbolCount, markers);
      if (end !== undefined && end <= markersAt && markersAt - end < 8)
        return { symbolCount, names };
    }
  }
  return undefined;
}

/** The offset after the last name, or undefined when the walk and the markers disagree. */
function namesEnd(
  bytes: Uint8Array,
  names: number,
  count: number,
  markers: Uint32Array,
): number | undefined {
  let at = names;
  for (let i = 0; i < count; i++) {
    if (i % namesPerMarker === 0 && at - names !== markers[i / namesPerMarker]) return undefined;
    const length = nameLength(bytes, at);
    if (length === 0) return undefined; // no name is empty: this is padding, and the walk started in the wrong place
    at += length + nameHeader(bytes, at);
  }
  return at;
}

/**
 * A length of one byte, or of two (7 low bits first) for names of more than 127 tokens: since 6.1,
 * commit 73bbb94466fd. Only a walk from a wrong start reaches beyond the Image; there the result is
 * not a number, and such a walk meets no marker. A check here would cost time for each of 200,000
 * names.
 */
function nameLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  return first & 0x80 ? (first & 0x7f) | ((bytes[at + 1] as number) << 7) : first;
}

function nameHeader(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) & 0x80 ? 2 : 1;
}

/**
 * Expands all names into one byte array and makes that one string: 200,000 small decodings would
 * take a second.
 */
function decodeNames(
  bytes: Uint8Array,
  tables: KallsymsTables,
): Pick<SymbolColumns, 'names' | 'types'> {
  const { symbolCount } = tables;
  const starts = tokenStarts(bytes, tables);
  const types = new Uint8Array(symbolCount);
  const ends = new Uint32Array(symbolCount);
  let text = new Uint8Array((tables.markers - tables.names) * 4);
  let length = 0;
  for (let i = 0, at = tables.names; i < symbolCount; i++) {
    const start = at + nameHeader(bytes, at);
    const end = start + nameLength(bytes, at);
    if (length + (end - start) * 512 > text.length) text = grow(text, (end - start) * 512);
    const typeAt = length;
    for (at = start; at < end; at++) {
      for (let from = starts[bytes[at] as number] as number; bytes[from] !== 0; from++)
        text[length++] = bytes[from] as number;
    }
    types[i] = text[typeAt] as number;
    ends[i] = length;
  }
  const whole = new TextDecoder('latin1').decode(text.subarray(0, length));
  const names = Array.from(ends, (end, i) => whole.slice((ends[i - 1] ?? 0) + 1, end));
  return { names, types };
}

function tokenStarts(bytes: Uint8Array, { tokenTable, tokenIndex }: KallsymsTables): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from(
    { length: tokenCount },
    (_, i) => tokenTable + view.getUint16(tokenIndex + i * 2, true),
  );
}

function grow(text: Uint8Array<ArrayBuffer>, atLeast: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(text.length * 2 + atLeast);
  larger.set(text);
  return larger;
}

/**
 * Distances from `_text`. Up to 6.19 each entry is the unsigned distance from
 * kallsyms_relative_base, the lowest symbol, which is `_text`: the first entry is 0. From 7.0
 * (commit a081b5789255) an entry is the signed distance of the symbol from the entry itself; the
 * first is negative, as the table lies above `_text`. (Per-CPU symbols are ordinary addresses:
 * arm64 has no CONFIG_KALLSYMS_ABSOLUTE_PERCPU.)
 */
function decodeOffsets(words: Uint32Array, { offsets, symbolCount }: KallsymsTables): Float64Array {
  const raw = words.subarray(offsets >>> 2, (offsets >>> 2) + symbolCount);
  return raw[0] === 0
    ? Float64Array.from(raw)
    : Float64Array.from(raw, (value, i) => (value | 0) + offsets + i * 4);
}

/** scripts/kallsyms.c sorts by address, and every search in the table relies on it. */
function requireAscending(offsets: Float64Array): void {
  for (let i = 1; i < offsets.length; i++) {
    if ((offsets[i] as number) < (offsets[i - 1] as number)) {
      throw new PtdiffError(
        'image',
        `The kernel Image is damaged: its kallsyms addresses do not ascend at entry ${i}.`,
      );
    }
  }
}
