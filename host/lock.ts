// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { Flock } from './flock.ts';
import { keepLock } from './keep-lock.ts';
import { makeFolder } from './make-folder.ts';
import { say } from './say.ts';

/** What is done while a lock is waited for. */
export interface LockOptions {
  /** Said once to `progress` when the lock is not had at once. */
  waiting?: string;
  progress?: Progress;
  /** Ends the wait. */
  signal?: AbortSignal;
}

/** A lock that is free is had well within this time, in milliseconds. */
const patience = 1000;

/**
 * Runs `use` while no other ptdiff of this cache holds the lock of that name. A killed run never
 * leaves one behind (host/flock.ts), and one that is taken away is taken again (host/keep-lock.ts).
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
 * Runs `use` while no other ptdiff, whatever its cache, writes into a folder, which is made if need
 * be. The lock is on the folder itself, so that nothing is left in it. It must not be taken twice
 * by one process.
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
        // Whoever made it in vain has removed it while this one waited.
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

/** @returns whether there was none before */
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

/** A question that was none leaves no folder behind. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It holds results.
  }
}

/** @param path a file, which is made if need be, or a folder */
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

/** Something that the cache has, or that can be made for it. */
export interface Obtainable<T> {
  /** @returns undefined where the cache does not have it */
  find: () => Promise<T | undefined>;
  make: () => Promise<T>;
}

/**
 * What the cache has or else what is made for it, by one ptdiff at a time: those who waited find it
 * made.
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
