// SPDX-License-Identifier: GPL-2.0-only
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';

/** Sizes in bytes that no file of the kind comes near. */
export const mostBytes = { image: 2 ** 30, text: 2 ** 26 } as const;

/** What a path may refer to instead of a file. */
const kinds = [
  ['isDirectory', 'a directory'],
  ['isFIFO', 'a pipe'],
  ['isSocket', 'a socket'],
  ['isCharacterDevice', 'a device'],
  ['isBlockDevice', 'a device'],
] as const;

const known: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why a file cannot be read, as the end of a sentence. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return known[code ?? ''] ?? message;
}

/**
 * Makes sure that a path refers to a regular file: anything else may have no end (/dev/zero), or no
 * beginning (a pipe without a writer).
 * @throws Error whose message, by whyUnreadable(), says what it is instead
 */
export async function requireRegular(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile()) return;
  const [, kind] = kinds.find(([is]) => found[is]()) ?? [undefined, 'something else'];
  throw new Error(`it is ${kind}, not a file`);
}

/**
 * The bytes of a regular file that the user named.
 * @param limit a size in bytes that no such file has
 * @throws Error whose message, by whyUnreadable(), is the end of a sentence
 */
export async function readRegular(path: string, limit: number): Promise<Buffer> {
  await requireRegular(path);
  // If it has become a pipe by now, the open does not wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const pieces: Buffer[] = [];
    let bytes = 0;
    // Files in /proc are regular files with size 0.
    for (let piece = Math.min((await file.stat()).size + 1, limit + 1); ; piece = 2 ** 16) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(piece), 0, piece);
      if (bytesRead === 0) return Buffer.concat(pieces);
      bytes += bytesRead;
      if (bytes > limit) throw new Error(`it has more than ${limit / 2 ** 20} MiB`);
      pieces.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** The same as text. */
export async function readRegularText(
  path: string,
  limit: number = mostBytes.text,
): Promise<string> {
  return (await readRegular(path, limit)).toString('utf8');
}
