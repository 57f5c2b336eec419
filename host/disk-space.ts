// SPDX-License-Identifier: GPL-2.0-only
import { statfs } from 'node:fs/promises';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { cacheRoot } from './cache.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Refuses to start what would fill the disk.
 * @param bytes what the step will write at its worst moment
 */
export async function requireSpace(bytes: number, what: string): Promise<void> {
  makeFolder(cacheRoot());
  const free = await freeSpace();
  if (free < bytes) throw noSpace(what, free, bytes);
}

/**
 * Turns a failure that a full disk caused into one that says so; anything else passes unchanged.
 */
export async function explainDiskFull(error: unknown, what: string): Promise<unknown> {
  return saysDiskFull(messageOf(error)) ? noSpace(what, await freeSpace()) : error;
}

/** What the cache's disk has left for this user, in bytes. */
async function freeSpace(): Promise<number> {
  const { bavail, bsize } = await statfs(cacheRoot());
  return bavail * bsize;
}

const saysDiskFull = (text: string): boolean =>
  /ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/.test(text);

/** A disk with less is full, in bytes. */
const leastSpace = 8 * 2 ** 20;

/**
 * The failure of a program that a full disk caused, where it did: not every program says so.
 * @param words what the program said
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

/** A size for a person, in MiB. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}
