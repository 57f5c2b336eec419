// SPDX-License-Identifier: GPL-2.0-only
const polynomial = 0xedb88320;
const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
  return value;
});

/**
 * CRC-32 of IEEE 802.3, as an unsigned number. src/ must not import Node's zlib, which has the same
 * function.
 */
export function crc32(...parts: Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++)
      crc = (crc >>> 8) ^ (table[(crc ^ (part[i] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}
