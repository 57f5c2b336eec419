// SPDX-License-Identifier: GPL-2.0-only
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { mostBytes } from '../../../host/read-file.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** A kernel that was built elsewhere. */
export interface BuiltFiles {
  image: Buffer;
  config: Buffer;
}

/** Bytes of the length that stands before the configuration. */
const lengthBytes = 4;

/** Packs an Image with its configuration before it. */
export function packBuilt({ image, config }: BuiltFiles): Promise<Buffer> {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32LE(config.length);
  return compress(Buffer.concat([length, config, image]), {
    params: { [constants.ZSTD_c_checksumFlag]: 1 },
  });
}

/**
 * What packBuilt() made; whether it is a kernel is for checkImage() to say.
 * @throws Error for what is no such thing, or has no end
 */
export async function unpackBuilt(packed: Buffer): Promise<BuiltFiles> {
  const plain = await decompress(packed, { maxOutputLength: mostBytes.image });
  const end = plain.length < lengthBytes ? 0 : lengthBytes + plain.readUInt32LE();
  if (end === 0 || end >= plain.length) throw new Error('it holds no Image');
  return { config: plain.subarray(lengthBytes, end), image: plain.subarray(end) };
}
