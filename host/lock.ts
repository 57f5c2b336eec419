// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { Flock } from './flock.ts';
import { keepLock } from './keep-lock.ts';
import { makeFolder } from './make-folder.ts';
import { say } from './say.ts';

/** What to do while waiting for a lock. */
interface LockOptions {
  /** Printed once to `progress` if the lock is not available at once. */
  waiting?: string;
  progress?: Progress;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/** A free lock is obtained well within this time, in milliseconds. */
const patience = 1000;

/**
 * Runs `use` while no other ptdiff with this cache holds the lock of that name. A killed run never
 * leaves one behind (host/flock.ts), and a lock that is taken away is taken again
 * (host/keep-lock.ts).
 * @throws `host` when the file cannot be locked; the signal's reason; what `use` throws
 */
export async function withLock<T>(
  name: string,
  use: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const path = cachePath('locks', name);
  options.signal?.throwIfAborted();
  makeFolder(dirname(path));
  return holdingLock(path, use, options);
}

/**
 * Runs `use` while no other ptdiff, whatever its cache, writes into a folder, which is created if
 * necessary. The lock is on the folder itself, so nothing is left in it. One process must not take
 * it twice.
 * @throws as withLock()
 */
export async function withLockedFolder<T>(
  folder: string,
  use: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  for (;;) {
    options.signal?.throwIfAborted();
    const made = makeLockable(folder);
    const before = inodeOf(folder);
    const outcome = await holdingLock(
      folder,
      async () => {
        // The process that created it without using it has removed it while this one waited.
        if (inodeOf(folder) !== before) return undefined;
        try {
          return { result: await use() };
        } finally {
          if (made) removeIfEmpty(folder);
        }
      },
      options,
    );
    if (outcome) return outcome.result;
  }
}

/** @returns whether the folder is new */
function makeLockable(folder: string): boolean {
  try {
    const made = !existsSync(folder);
    makeFolder(folder);
    return made;
  } catch (error) {
    throw new PtdiffError('host', `Cannot make the folder ${folder}: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { throwIfNoEntry: false, bigint: true })?.ino;
}

/** An invalid request leaves no folder behind. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds results.
  }
}

/** @param path a file, which is created if necessary, or a folder */
async function holdingLock<T>(
  path: string,
  use: () => Promise<T>,
  options: LockOptions,
): Promise<T> {
  const { waiting, progress, signal } = options;
  const lock = new Flock(path);
  const timer = setTimeout(() => waiting !== undefined && progress?.(waiting), patience);
  const giveUp = () => lock.kill();
  signal?.addEventListener('abort', giveUp);
  const early = await lock.held;
  clearTimeout(timer);
  signal?.removeEventListener('abort', giveUp);
  try {
    signal?.throwIfAborted();
    if (early !== undefined) throw lock.failure(early.message);
  } catch (error) {
    await lock.release();
    throw error;
  }
  const kept = keepLock(path, lock, progress ?? say);
  try {
    return await use();
  } finally {
    await kept.release();
  }
}

/** Something that is in the cache, or can be made for it. */
interface Obtainable<T> {
  /** @returns undefined if the cache does not have it */
  find: () => Promise<T | undefined>;
  make: () => Promise<T>;
}

/**
 * Returns what the cache has, or makes it. Only one ptdiff at a time does that; those that waited
 * find it made.
 */
export async function obtain<T>(
  lock: string,
  { find, make }: Obtainable<T>,
  options: LockOptions,
): Promise<T> {
  return (
    (await find()) ?? (await withLock(lock, async () => (await find()) ?? (await make()), options))
  );
}
