// SPDX-License-Identifier: GPL-2.0-only
/** The pages of a kdump-compressed dump that is not flattened (makedumpfile's diskdump_mod.h). */

import { readFileSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

const statusOffset = 424;
const descriptorBytes = 24;
const compressedWithSnappy = 4;

/** A page's struct page_desc; `at` is its own place in the file. */
interface KdumpPage {
  at: number;
  offset: number;
  bytes: number;
  flags: number;
}

/** Sizes in the struct disk_dump_header, all in bytes. */
function layoutOf(dump: Buffer): { block: number; bitmap: number; descriptors: number } {
  const [block = 0, subHeader = 0, bitmaps = 0] = [4, 8, 12].map((each) =>
    dump.readUInt32LE(statusOffset + each),
  );
  const first = (1 + subHeader) * block;
  return {
    block,
    bitmap: first + (bitmaps * block) / 2,
    descriptors: first + bitmaps * block,
  };
}

/** Every page of a dump, in the order of the file. */
export function kdumpPages(dump: Buffer): KdumpPage[] {
  const { bitmap, descriptors } = layoutOf(dump);
  let count = 0;
  for (const byte of dump.subarray(bitmap, descriptors))
    for (let bits = byte; bits > 0; bits &= bits - 1) count++;
  return Array.from({ length: count }, (_, index) => {
    const at = descriptors + index * descriptorBytes;
    const [bytes, flags] = [dump.readUInt32LE(at + 8), dump.readUInt32LE(at + 12)];
    return { at, offset: Number(dump.readBigUInt64LE(at)), bytes, flags };
  });
}

/**
 * Writes a dump whose pages are not compressed as `makedumpfile -p` writes it: with Snappy, unless a
 * page gets no smaller.
 * @param program of test/guest/compressed-pages
 */
export async function packWithSnappy(program: string, from: string, to: string): Promise<void> {
  const dump = readFileSync(from);
  const { block } = layoutOf(dump);
  const pages = kdumpPages(dump);
  const page = ({ offset }: KdumpPage) => dump.subarray(offset, offset + block);
  const { stdout: packed } = await execa(program, ['snappy', String(block)], {
    input: Buffer.concat(pages.map(page)),
    encoding: 'buffer',
    maxBuffer: 2 ** 31,
  });
  const begin = Math.min(...pages.map(({ offset }) => offset));
  const head = Buffer.from(dump.subarray(0, begin));
  head.writeUInt32LE(compressedWithSnappy, statusOffset);
  const contents: Buffer[] = [];
  let [read, offset] = [0, begin];
  const view = Buffer.from(packed.buffer, packed.byteOffset, packed.length);
  for (const each of pages) {
    const length = view.readUInt32LE(read);
    const smaller = view.subarray(read + 4, read + 4 + length);
    const content = length < block ? smaller : page(each);
    head.writeBigUInt64LE(BigInt(offset), each.at);
    head.writeUInt32LE(content.length, each.at + 8);
    head.writeUInt32LE(length < block ? compressedWithSnappy : 0, each.at + 12);
    contents.push(content);
    read += 4 + length;
    offset += content.length;
  }
  writeFileSync(to, Buffer.concat([head, ...contents]));
}
