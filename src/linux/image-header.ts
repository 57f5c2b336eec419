// SPDX-License-Identifier: GPL-2.0-only
/**
 * The header of an arm64 Image: kernel Documentation/arch/arm64/booting.rst, "Call the kernel
 * image".
 */
export interface ImageHeader {
  /** Offset in bytes from a 2 MiB aligned base at which the Image wants to be loaded. */
  textOffset: number;
  /**
   * Bytes of memory that the kernel needs from its load address on, .bss included; 0 in kernels
   * before 3.17.
   */
  imageSize: number;
  /** Bytes of a translation granule, or undefined where the header leaves it unspecified. */
  granule: 4096 | 16384 | 65536 | undefined;
  bigEndian: boolean;
  /**
   * True when the kernel may be anywhere in RAM, false when it wants to be near the base of RAM.
   */
  anywhere: boolean;
  /**
   * Bytes of the file according to its PE header (the sections of the EFI stub), where it has one.
   */
  fileSize: number | undefined;
}

/** Bytes that imageHeader() needs. */
export const imageHeaderBytes = 1024;

const magic = 0x644d5241; // "ARM\x64", little-endian, at 0x38
const granules = [undefined, 4096, 16384, 65536] as const;

/**
 * Reads the header of an arm64 Image.
 * @param bytes the first imageHeaderBytes of the file, or all of a smaller one
 * @returns undefined when the magic number is not there
 */
export function imageHeader(bytes: Uint8Array): ImageHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 64 || view.getUint32(0x38, true) !== magic) {
    return undefined;
  }
  const flags = view.getUint32(0x18, true);
  return {
    textOffset: Number(view.getBigUint64(0x08, true)),
    imageSize: Number(view.getBigUint64(0x10, true)),
    granule: granules[(flags >> 1) & 3],
    bigEndian: (flags & 1) !== 0,
    anywhere: (flags & 8) !== 0,
    fileSize: peFileSize(view),
  };
}

/**
 * End of the last section of the PE file (Microsoft PE/COFF 3.3, 4): a complete Image is at least
 * this long.
 */
function peFileSize(view: DataView): number | undefined {
  const pe = view.getUint32(0x3c, true);
  if (pe + 24 > view.byteLength || view.getUint32(pe, true) !== 0x4550) {
    return undefined;
  }
  const sections = view.getUint16(pe + 6, true);
  const table = pe + 24 + view.getUint16(pe + 20, true);
  let end: number | undefined;
  for (let i = 0; i < sections && table + i * 40 + 40 <= view.byteLength; i++) {
    const size = view.getUint32(table + i * 40 + 16, true);
    const start = view.getUint32(table + i * 40 + 20, true);
    end = Math.max(end ?? 0, start + size);
  }
  return end;
}
