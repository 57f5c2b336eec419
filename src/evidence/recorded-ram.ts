// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedTable } from './recording-reader.ts';

/** Access flag; and where DBM (bit 51) is set, what hardware clears in AP[2] (DDI 0487 D8.5). */
const accessFlag = 1 << 10;
const readOnly = 1 << 7;
const dirtyModifier = 1 << (51 - 32);

/**
 * The first entry in which a table is not what memory holds, apart from what the hardware itself
 * writes.
 * @param words the memory of the table
 */
export function differsFromRam(
  { words: own }: RecordedTable,
  words: Uint32Array,
): number | undefined {
  // Most tables are the same to the last bit.
  if (bytesOf(own).equals(bytesOf(words))) return undefined;
  for (let at = 0; at < own.length; at += 2) {
    const high = own[at + 1] as number;
    const ignored = high & dirtyModifier ? accessFlag | readOnly : accessFlag;
    const low = ((own[at] as number) ^ (words[at] as number)) & ~ignored;
    if (low !== 0 || high !== words[at + 1]) return at / 2;
  }
  return undefined;
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
