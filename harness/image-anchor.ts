import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { imageHeader, imageHeaderBytes } from '../src/linux/image-header.ts';
import type { SymbolTable } from '../src/linux/symbol-table.ts';
import { RAM_BASE } from '../src/scenario/memory.ts';
import { type FrequentStop, frequentStop } from './checkpoints.ts';

/**
 * The last branch of __primary_switch (arch/arm64/kernel/head.S): it runs at the physical address of the Image, and its
 * register holds where the kernel will run. Stopping there tells the KASLR slide before the kernel proper begins.
 */
export interface ImageAnchor {
  /** Physical address of the Image. */
  imagePa: number;
  /** Physical address of the branch. */
  branchPa: number;
  /** Register of the branch, e.g. 'x8'. */
  register: string;
  /** Where to stop in split_kernel_leaf_mapping(), by link address; absent before 6.18. */
  split?: FrequentStop;
}

/** QEMU puts its boot loader first and moves an Image up by this that would lie on it (hw/arm/boot.c, load_aarch64_image). */
const bootLoaderRoom = 2 << 20;
const bootLoaderBytes = 4 << 10;

/** @throws PtdiffError('image') when the file is no complete arm64 Image. */
export function findAnchor(imagePath: string, symbols: SymbolTable): ImageAnchor {
  const file = openImage(imagePath);
  try {
    const header = imageHeader(file.read(0, Math.min(imageHeaderBytes, file.size)));
    if (header === undefined) {
      throw new PtdiffError('image', `${imagePath} is not an arm64 Image.`);
    }
    if (header.fileSize !== undefined && file.size < header.fileSize) {
      const sizes = `${file.size} bytes of ${header.fileSize}`;
      throw new PtdiffError('image', `The kernel Image ${imagePath} is truncated: it has ${sizes}; fetch it again.`);
    }
    const start = Number((symbols.address('__primary_switch') ?? symbols.textBase) - symbols.textBase);
    const bytes = Number(symbols.size('__primary_switch') ?? 0n);
    const branch = lastBranch(file.read(start, bytes));
    if (branch === undefined) {
      throw new PtdiffError('image', `The kernel Image ${imagePath} has no branch at the end of __primary_switch.`);
    }
    const offset = header.textOffset < bootLoaderBytes ? header.textOffset + bootLoaderRoom : header.textOffset;
    const imagePa = RAM_BASE + offset;
    const split = symbols.address('split_kernel_leaf_mapping');
    return {
      imagePa,
      branchPa: imagePa + start + branch.offset,
      register: branch.register,
      ...(split !== undefined && { split: frequentStop(split, file.read(Number(split - symbols.textBase), 12)) }),
    };
  } finally {
    file.close();
  }
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

function openImage(path: string): { size: number; read(at: number, bytes: number): Buffer; close(): void } {
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
