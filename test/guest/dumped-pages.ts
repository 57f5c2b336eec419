// SPDX-License-Identifier: GPL-2.0-only
import { deflateSync, inflateSync, zstdCompressSync } from 'node:zlib';

/** Flags of a page (makedumpfile's diskdump_mod.h). */
const flags = { none: 0, lzo: 2, zstd: 0x20 };

/** Where a raw kdump-compressed dump has what its pages are. */
interface Places {
  block: number;
  /** Offset of the first descriptor of a page. */
  descriptors: number;
  pages: number;
}

/** Of the header and the second bitmap. */
function placesOf(dump: Buffer): Places {
  const block = dump.readInt32LE(428);
  const bitmaps = (1 + dump.readInt32LE(432)) * block;
  const bytes = dump.readUInt32LE(436) * block;
  let pages = 0;
  for (const byte of dump.subarray(bitmaps + bytes / 2, bitmaps + bytes))
    for (let bits = byte; bits !== 0; bits >>= 1) pages += bits & 1;
  return { block, descriptors: bitmaps + bytes, pages };
}

/**
 * A raw kdump-zlib dump with its pages kept in another way, as makedumpfile would write it; `lzo`
 * only says so.
 */
export function repacked(dump: Buffer, how: keyof typeof flags): Buffer {
  const { block, descriptors, pages } = placesOf(dump);
  const head = Buffer.from(dump.subarray(0, descriptors + pages * 24));
  const parts: Buffer[] = [head];
  let offset = head.length;
  for (let at = descriptors; at < head.length; at += 24) {
    const from = Number(dump.readBigUInt64LE(at));
    const kept = dump.subarray(from, from + dump.readUInt32LE(at + 8));
    const page = dump.readUInt32LE(at + 12) === 1 ? inflateSync(kept) : kept;
    const packed =
      how === 'zstd' ? zstdCompressSync(page) : how === 'lzo' ? deflateSync(page) : page;
    if (page.length !== block) throw new Error(`a page of ${page.length} bytes`);
    head.writeBigUInt64LE(BigInt(offset), at);
    head.writeUInt32LE(packed.length, at + 8);
    head.writeUInt32LE(flags[how], at + 12);
    parts.push(packed);
    offset += packed.length;
  }
  return Buffer.concat(parts);
}
