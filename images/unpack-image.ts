// SPDX-License-Identifier: GPL-2.0-only
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { mostBytes } from '../host/read-file.ts';
import { PtdiffError } from '../src/errors.ts';
import { printable } from '../src/evidence/board-lines.ts';
import { imageHeader, imageHeaderBytes } from '../src/linux/image-header.ts';

/** `unpacked` is true where the contents differ from the file's. */
interface Unpacked {
  bytes: Buffer;
  unpacked: boolean;
}

type Unpack = (packed: Buffer, name: string, what: string) => Buffer;

/** A decompressor of node:zlib, limited to what a kernel has. */
function unpacker(decompress: typeof gunzipSync | typeof zstdDecompressSync): Unpack {
  return (packed, name, what) => {
    try {
      return decompress(packed, { maxOutputLength: mostBytes.image });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        const most = `${mostBytes.image / 2 ** 20} MiB`;
        throw new PtdiffError(
          'image',
          `${name} unpacks to more than ${most}, which no kernel has.`,
          { cause },
        );
      }
      throw new PtdiffError(
        'image',
        `${name} ${what} but cannot be unpacked: it is truncated or damaged.`,
        { cause },
      );
    }
  };
}

const gunzip = unpacker(gunzipSync);
const unzstd = unpacker(zstdDecompressSync);

/** Compressions of an EFI image that can be unpacked here, by the names in its header. */
const ofEfi: Readonly<Record<string, Unpack>> = { gzip: gunzip, zstd: unzstd, zstd22: unzstd };

/**
 * Unpacks an Image: Image.gz, and the EFI images of Ubuntu and Fedora (CONFIG_EFI_ZBOOT), which may
 * be one inside the other.
 * @param name how messages should call the file
 * @throws PtdiffError(image) for what looks like one of these and cannot be unpacked
 */
export function unpackImage(file: Buffer, name: string): Unpacked {
  const plain = isGzip(file) ? gunzip(file, name, 'starts like a gzip file') : file;
  const bytes = isEfiImage(plain) ? unpackEfiImage(plain, name) : plain;
  return { bytes, unpacked: bytes !== file };
}

const isGzip = (bytes: Buffer): boolean => bytes.length > 2 && bytes.readUInt16BE(0) === 0x1f8b;

/**
 * drivers/firmware/efi/libstub/zboot-header.S: 'MZ', 'zimg' at 4, the payload's offset at 8 and its
 * size at 12, and the name of its compression at 0x18.
 */
function isEfiImage(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 2) === 'MZ' && bytes.toString('latin1', 4, 8) === 'zimg';
}

function unpackEfiImage(bytes: Buffer, name: string): Buffer {
  const instead = 'name the arch/arm64/boot/Image of the same build';
  const is = `${name} is a compressed EFI image (CONFIG_EFI_ZBOOT, vmlinuz.efi)`;
  if (bytes.length < 64) throw new PtdiffError('image', `${is} that is cut short; ${instead}.`);
  const [offset, size] = [bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
  const compression = (bytes.toString('latin1', 0x18, 0x38).split('\0')[0] ?? '').trim();
  const unpack = Object.hasOwn(ofEfi, compression) ? ofEfi[compression] : undefined;
  if (unpack === undefined) {
    const known = [...new Set(Object.keys(ofEfi))].join(', ');
    throw new PtdiffError(
      'image',
      `${is} whose compression '${printable(compression)}' cannot be unpacked here, only ${known}; ${instead}.`,
    );
  }
  if (offset < 64 || size === 0 || offset + size > bytes.length) {
    throw new PtdiffError(
      'image',
      `${is} that is truncated or damaged; copy it again, or ${instead}.`,
    );
  }
  const packed = bytes.subarray(offset, offset + size);
  return withoutPadding(unpack(packed, name, 'is a compressed EFI image'));
}

/**
 * The Image as it was before it was compressed: drivers/firmware/efi/libstub/Makefile.zboot first
 * pads it with zeroes to what it needs in memory.
 */
function withoutPadding(image: Buffer): Buffer {
  const { fileSize } = imageHeader(image.subarray(0, imageHeaderBytes)) ?? {};
  if (fileSize === undefined || image.subarray(fileSize).some((byte) => byte !== 0)) return image;
  return image.subarray(0, fileSize);
}
