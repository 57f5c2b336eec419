// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { adrpPage } from '../../src/linux/code-constants.ts';
import { imageHeader, imageHeaderBytes } from '../../src/linux/image-header.ts';
import { ImageReader } from '../../src/linux/image-reader.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { LoadSizes } from '../../src/scenario/load-places.ts';
import { type FrequentStop, frequentStop } from './checkpoints.ts';

/**
 * The last branch of __primary_switch (arch/arm64/kernel/head.S): it runs at the physical address
 * of the Image, and its register holds the virtual address at which the kernel will run. Stopping
 * there gives the KASLR slide before the kernel proper begins.
 */
export interface ImageAnchor {
  /** Physical address of the Image. */
  imagePa: number;
  /** Physical address of the branch. */
  branchPa: number;
  /**
   * Register of the branch, e.g. 'x8', and the link address that it holds, apart from the KASLR
   * slide.
   */
  register: string;
  target: bigint;
  /** Where to stop in split_kernel_leaf_mapping(), by link address; absent before 6.18. */
  split?: FrequentStop;
}

/**
 * What the header of an Image says of the memory that it needs.
 * @throws PtdiffError('image') when the file is not a complete arm64 Image
 */
export function imageNeeds(imagePath: string): Pick<LoadSizes, 'image' | 'textOffset'> {
  const file = openImage(imagePath);
  try {
    const header = imageHeader(file.read(0, Math.min(imageHeaderBytes, file.size)));
    if (header === undefined) {
      throw new PtdiffError('image', `${imagePath} is not an arm64 Image.`);
    }
    if (header.fileSize !== undefined && file.size < header.fileSize) {
      const sizes = `${file.size} bytes of ${header.fileSize}`;
      throw new PtdiffError(
        'image',
        `The kernel Image ${imagePath} is truncated: it has ${sizes}; fetch it again.`,
      );
    }
    return { image: Math.max(header.imageSize, file.size), textOffset: header.textOffset };
  } finally {
    file.close();
  }
}

/**
 * @param imagePa where the Image is loaded
 * @throws PtdiffError('image') when the Image has no such branch
 */
export function findAnchor(imagePath: string, symbols: SymbolTable, imagePa: number): ImageAnchor {
  const file = openImage(imagePath);
  try {
    const branch = namedBranch(file, symbols) ?? unnamedBranch(file, symbols);
    if (branch === undefined) {
      throw new PtdiffError(
        'image',
        `The kernel Image ${imagePath} has no branch at the end of __primary_switch.`,
      );
    }
    const split = symbols.address('split_kernel_leaf_mapping');
    return {
      imagePa,
      branchPa: imagePa + branch.offset,
      register: branch.register,
      target: branch.target,
      ...(split !== undefined && {
        split: frequentStop(split, file.read(Number(split - symbols.textBase), 12)),
      }),
    };
  } finally {
    file.close();
  }
}

type ImageFile = ReturnType<typeof openImage>;

/** A branch to the kernel's virtual addresses: its offset in the Image, and its target. */
interface Entry {
  offset: number;
  register: string;
  target: bigint;
}

/** The branch by the symbols of head.S. */
function namedBranch(file: ImageFile, symbols: SymbolTable): Entry | undefined {
  const address = symbols.address('__primary_switch');
  const target = symbols.address('__primary_switched');
  if (address === undefined || target === undefined) return undefined;
  const start = Number(address - symbols.textBase);
  const branch = lastBranch(file.read(start, Number(symbols.size('__primary_switch') ?? 0n)));
  return branch && { ...branch, offset: start + branch.offset, target };
}

/** Number of instructions before the branch that may belong to it. */
const nearby = 4;

/**
 * The branch by its code, where the symbols have other names: `ldr xN, =__primary_switched`, `adrp
 * x0, KERNEL_START`, `br xN`. The literal is a pointer into the Image.
 */
function unnamedBranch(file: ImageFile, symbols: SymbolTable): Entry | undefined {
  const image = file.read(0, file.size);
  const reader = new ImageReader(image, symbols);
  const words = new Uint32Array(image.buffer, image.byteOffset, image.length >>> 2);
  for (let at = nearby; at < words.length; at++) {
    const branch = words[at] as number;
    if ((branch & 0xfffffc1f) >>> 0 !== 0xd61f0000) continue;
    const register = (branch >>> 5) & 31;
    // The words in question are before the branch, so they are inside the Image.
    const word = (index: number): number => words[index] as number;
    const before = Array.from({ length: nearby }, (_, index) => at - nearby + index);
    const link = (index: number): bigint => symbols.textBase + BigInt(index * 4);
    const addressesText = before.some(
      (index) => adrpPage(link(index), word(index)) === symbols.textBase,
    );
    // LDR (literal) of 64 bits (DDI 0487 C6.2).
    const load = before.findLast(
      (index) => (word(index) & 0xff00001f) >>> 0 === (0x58000000 | register) >>> 0,
    );
    if (!addressesText || load === undefined) continue;
    const target = reader.pointer(
      link(load) + BigInt.asIntN(21, BigInt((word(load) >>> 5) & 0x7ffff) << 2n),
    );
    if (symbols.nameAt(target)?.offset === 0n)
      return { offset: at * 4, register: `x${register}`, target };
  }
  return undefined;
}

/** The last BR instruction (DDI 0487 C6.2, BR) in code, with its byte offset. */
export function lastBranch(code: Buffer): { offset: number; register: string } | undefined {
  for (let offset = (code.length & ~3) - 4; offset >= 0; offset -= 4) {
    const word = code.readUInt32LE(offset);
    if ((word & 0xfffffc1f) >>> 0 === 0xd61f0000) {
      return { offset, register: `x${(word >>> 5) & 31}` };
    }
  }
  return undefined;
}

function openImage(path: string): {
  size: number;
  read(at: number, bytes: number): Buffer;
  close(): void;
} {
  try {
    const descriptor = openSync(path, 'r');
    const read = (at: number, bytes: number) => {
      const buffer = Buffer.alloc(bytes);
      return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, at));
    };
    return { size: fstatSync(descriptor).size, read, close: () => closeSync(descriptor) };
  } catch (error) {
    throw new PtdiffError('image', `Cannot read the kernel Image ${path}: ${messageOf(error)}.`);
  }
}
