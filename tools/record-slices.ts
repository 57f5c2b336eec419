// SPDX-License-Identifier: GPL-2.0-only
import assert from 'node:assert/strict';
import { join, relative } from 'node:path';
import { echo, fs } from 'zx';
import { resolveKernel } from '../images/kernels.ts';
import { imageHeaderBytes } from '../src/linux/image-header.ts';
import { ImageReader } from '../src/linux/image-reader.ts';
import { kallsymsOfImage } from '../src/linux/kallsyms.ts';
import type { SymbolTable } from '../src/linux/symbol-table.ts';
import { traitsOf } from '../src/linux/traits.ts';
import { kernelOfSlice, type RecordedSlice, slicesFolder } from '../test/linux/slices.ts';
import { root, tellChanges, wordsOf, writePacked } from './script.ts';

/**
 * Records what traitsOf() reads from real Images: the functions, variables, texts and tables that
 * it uses, with their symbols. Run it again when traitsOf() reads something else: it fails for a
 * slice whose traits differ from those of the complete Image.
 */
const usage = 'npm run record:slices -- debian:6.12 debian:6.12:16k debian:6.16 … debian:7.3';

/** Functions whose code is read, and variables. */
const read = [
  'map_mem',
  'paging_init',
  'mark_linear_text_alias_ro',
  'set_direct_map_invalid_noflush',
  'mark_rodata_ro',
  '__cpu_setup',
  'setup_arch',
  'kfence_init_enable',
  'kfence_early_init',
  'rodata_full',
  '_debug_pagealloc_enabled_early',
];
/** Texts that it searches for. */
const texts = [
  '52-bit Virtual Addressing (LPA2)\0',
  '52-bit Virtual Addressing (LVA)\0',
  '\0E0PD\0',
  'Hardware managed Access Flag for Table Descriptors\0',
];
const tables = ['arm64_features', 'arm64_errata'];
/** Lists of CPUs that it finds by a pattern. */
const listNames = /supports_bbml|(^|\.)cpus(\.\d+)?$/;
/**
 * Bytes of a description, a list of CPUs or a table of a list's entries that a table points at,
 * where no symbol shows the length.
 */
const pointedAt = 512;

/**
 * Names that traitsOf() looks up, including those that it would look up if one of the others did
 * not exist.
 */
function namesAsked(release: string, image: Uint8Array, symbols: SymbolTable): Set<string> {
  const asked = new Set<string>();
  const ask = (gone?: string): void => {
    const table = new Proxy(symbols, {
      get(target, property) {
        const member = Reflect.get(target, property, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          for (const word of args) if (typeof word === 'string') asked.add(word);
          if (args[0] === gone && gone !== undefined) return property === 'has' ? false : undefined;
          const result = member.apply(target, args);
          if (property === 'codeName' && typeof result === 'string') asked.add(result);
          if (property === 'nameAt' && result) asked.add(result.name);
          return result;
        };
      },
    });
    traitsOf(release, image, table);
  };
  ask();
  for (const name of [...asked]) if (name !== '__bss_stop') ask(name);
  for (const { name } of symbols.list()) if (listNames.test(name)) asked.add(name);
  return asked;
}

/** Merged ascending ranges of offsets. */
function merge(ranges: [start: number, end: number][]): [start: number, end: number][] {
  const merged: [number, number][] = [];
  for (const [start, end] of ranges.sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function slice(release: string, from: string, image: Uint8Array): RecordedSlice {
  const symbols = kallsymsOfImage(image);
  const asked = namesAsked(release, image, symbols);
  const whole = traitsOf(release, image, symbols);
  const lists = [...asked].filter((name) => listNames.test(name));
  const offsetOf = (address: bigint): number => Number(address - symbols.textBase);
  const isText = (address: bigint): boolean => symbols.isBetween(address, '_stext', '_etext');
  const extent = (name: string): [number, number][] => {
    const [address, size] = [symbols.address(name), symbols.size(name)];
    return address === undefined
      ? []
      : [[offsetOf(address), offsetOf(address) + Number(size ?? 8n)]];
  };
  const buffer = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const ranges: [number, number][] = [[0, imageHeaderBytes], ...read.flatMap(extent)];
  for (const text of texts) {
    const at = buffer.indexOf(text, 0, 'latin1');
    if (at >= 0) ranges.push([at, at + text.length]);
  }

  // The contents of the tables, and what they point at, down to the lists of entries' own lists.
  const reader = new ImageReader(image, symbols);
  const pointers = new Map<number, bigint>();
  let todo = [...tables.flatMap(extent), ...lists.flatMap(extent)];
  for (let depth = 0; depth < 3; depth++) {
    const next: [number, number][] = [];
    for (const [start, end] of todo) {
      ranges.push([start, end]);
      for (let at = (start + 7) & ~7; at + 8 <= end; at += 8) {
        const target = reader.pointer(symbols.textBase + BigInt(at));
        const to = offsetOf(target);
        if (to <= 0 || to >= image.length) continue;
        pointers.set(at, target);
        if (!isText(target)) next.push([to, to + pointedAt]);
      }
    }
    todo = merge(next);
  }
  // Only the relocations of these pointers, instead of all.
  const [rela] = extent('__pi_rela_start');
  const relocated = [...pointers].filter(([at]) => buffer.readBigUInt64LE(at) === 0n);
  const table = Buffer.alloc(relocated.length * 24);
  for (const [index, [at, target]] of relocated.entries()) {
    table.writeBigUInt64LE(symbols.textBase + BigInt(at), index * 24);
    table.writeBigUInt64LE(1027n, index * 24 + 8);
    table.writeBigUInt64LE(target, index * 24 + 16);
  }
  const pieces = merge(ranges).map(([start, end]): [number, string] => [
    start,
    buffer.subarray(start, end).toString('hex'),
  ]);
  if (rela) pieces.push([rela[0], table.toString('hex')]);

  // Each symbol, and a nameless one at its end, which gives it its size.
  const named = [...asked].flatMap((name) =>
    symbols.all(name).map((address): [string, number] => [name, offsetOf(address)]),
  );
  const ends = [...asked, ...read].flatMap(extent).map(([, end]): [string, number] => ['', end]);
  const relocations = rela ? [['__pi_rela_end', rela[0] + table.length] as [string, number]] : [];
  const kept = [...named.filter(([name]) => name !== '__pi_rela_end'), ...relocations];
  const taken = new Set(kept.map(([, offset]) => offset));
  const all = [...kept, ...ends.filter(([, offset]) => !taken.has(offset))].sort(
    (a, b) => a[1] - b[1],
  );
  const unique = all.filter(
    ([name, offset], index) => name !== '' || offset !== all[index - 1]?.[1],
  );
  const recorded: RecordedSlice = {
    schema: 1,
    from,
    release,
    textBase: `0x${symbols.textBase.toString(16)}`,
    symbols: unique,
    pieces,
  };

  const again = kernelOfSlice(recorded);
  assert.deepEqual(
    traitsOf(release, again.image, again.symbols),
    whole,
    `${from}: the slice shows other traits`,
  );
  return recorded;
}

fs.mkdirSync(slicesFolder, { recursive: true });
for (const spec of wordsOf(usage, 1)) {
  const { release, source, sha256, imagePath } = await resolveKernel(spec);
  const recorded = slice(release, `${source}, Image ${sha256}`, fs.readFileSync(imagePath));
  writePacked(join(slicesFolder, `${release}.json.gz`), JSON.stringify(recorded));
  echo(`${release}: ${recorded.pieces.length} pieces of ${recorded.from}`);
}
await tellChanges(relative(root, slicesFolder));
