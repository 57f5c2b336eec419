// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolTable } from '../../src/linux/symbol-table.ts';
import { type KernelDescription, traitsOf } from '../../src/linux/traits.ts';
import { readFixture } from '../fixture.ts';

/** What traitsOf() reads of one real Image: see tools/record-slices.ts. */
export interface RecordedSlice {
  schema: 1;
  /** The package that the kernel comes from, and the SHA-256 of its Image. */
  from: string;
  release: string;
  textBase: string;
  /** Name and distance from _text of each symbol, ascending. */
  symbols: [name: string, offset: number][];
  /** Pieces of the Image: offset and bytes in hexadecimal. */
  pieces: [offset: number, bytes: string][];
}

/**
 * A kernel as traitsOf() takes it; nothing but the recorded pieces is there, the rest of the Image
 * is 0.
 */
export interface SlicedKernel {
  release: string;
  image: Uint8Array;
  symbols: SymbolTable;
}

export const slicesFolder = join(import.meta.dirname, 'fixtures', 'slices');

/** Names of the recorded kernels. */
export function sliceNames(): string[] {
  return readdirSync(slicesFolder)
    .filter((name) => name.endsWith('.json.gz'))
    .map((name) => name.replace(/\.json\.gz$/, ''))
    .sort();
}

/** A table of symbols, which are all of code. */
export function tableOf(
  symbols: readonly (readonly [name: string, offset: number])[],
  textBase: bigint,
): SymbolTable {
  return new SymbolTable({
    names: symbols.map(([name]) => name),
    types: Uint8Array.from(symbols, () => 0x74),
    offsets: Float64Array.from(symbols, ([, offset]) => offset),
    textBase,
  });
}

export function kernelOfSlice({ release, textBase, symbols, pieces }: RecordedSlice): SlicedKernel {
  const image = new Uint8Array(
    Math.max(...pieces.map(([offset, bytes]) => offset + bytes.length / 2)),
  );
  for (const [offset, bytes] of pieces) image.set(Buffer.from(bytes, 'hex'), offset);
  return { release, image, symbols: tableOf(symbols, BigInt(textBase)) };
}

export function readSlice(name: string): RecordedSlice {
  return readFixture<RecordedSlice>(join(slicesFolder, `${name}.json.gz`), 1);
}

export function describeKernel({ release, image, symbols }: SlicedKernel): KernelDescription {
  return traitsOf(release, image, symbols);
}

/**
 * A recorded kernel as it would be with other symbols: each by its new name. What is inlined has a
 * name that nobody asks for.
 */
export function renamed(
  { textBase, symbols }: RecordedSlice,
  kernel: SlicedKernel,
  rename: (name: string) => string,
): SlicedKernel {
  const names = symbols.map(([name, offset]) => [name === '' ? '' : rename(name), offset] as const);
  return { ...kernel, symbols: tableOf(names, BigInt(textBase)) };
}
