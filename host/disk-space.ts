// SPDX-License-Identifier: GPL-2.0-only
import { statfs } from 'node:fs/promises';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { cacheRoot } from './cache.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Refuses to start a step that would fill the disk.
 * @param bytes the most that the step will have on disk at one time
 */
export async function requireSpace(bytes: number, what: string): Promise<void> {
  makeFolder(cacheRoot());
  const free = await freeSpace();
  if (free < bytes) throw noSpace(what, free, bytes);
}

/** Turns an error caused by a full disk into one that says so; any other error passes unchanged. */
export async function explainDiskFull(error: unknown, what: string): Promise<unknown> {
  return saysDiskFull(messageOf(error)) ? noSpace(what, await freeSpace()) : error;
}

/** Free bytes on the cache's disk for this user. */
async function freeSpace(): Promise<number> {
  const { bavail, bsize } = await statfs(cacheRoot());
  return bavail * bsize;
}

const saysDiskFull = (text: string): boolean =>
  /ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/.test(text);

/** A disk with less free space counts as full, in bytes. */
const leastSpace = 8 * 2 ** 20;

/**
 * The error for a program that failed because of a full disk, if that is the cause: not every
 * program says so.
 * @param words the program's own message
 */
export async function diskFull(words: string, what: string): Promise<PtdiffError | undefined> {
  const free = await freeSpace();
  return free < leastSpace || saysDiskFull(words) ? noSpace(what, free) : undefined;
}

function noSpace(what: string, free: number, needed?: number): PtdiffError {
  const need = needed === undefined ? 'more' : `about ${mebibytes(needed)}`;
  return new PtdiffError(
    'host',
    `No disk space for ${what}: it needs ${need} and ${cacheRoot()} has ${mebibytes(free)} free; free some, or set PTDIFF_CACHE to a directory elsewhere.`,
  );
}

/** A size for the user, in MiB. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}
