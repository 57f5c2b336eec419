// SPDX-License-Identifier: GPL-2.0-only
import { dirname } from 'node:path';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { Flock } from './flock.ts';
import { keepLock } from './keep-lock.ts';
import { makeFolder } from './make-folder.ts';
import { say } from './say.ts';

/**
 * Held by every ptdiff that has taken something from the cache (shared), and while the cache is
 * pruned (exclusive).
 */
const lockPath = (): string => cachePath('locks', 'in-use');

/** The locks that this process holds, by path. */
const used = new Map<string, Promise<void>>();
/** True while this process prunes. */
let pruning = false;

/**
 * Records that this process uses the cache until it ends, so that nothing in use is pruned. Without
 * flock, or with a read-only cache, ptdiff continues without the lock, and one line says so: such a
 * host prunes nothing itself, and if another one prunes something that is in use, that shows as a
 * missing file with a message.
 */
export function useCache(progress?: Progress): Promise<void> {
  const path = lockPath();
  if (pruning) return Promise.resolve();
  const holding = used.get(path) ?? hold(path, progress);
  used.set(path, holding);
  return holding;
}

async function hold(path: string, progress: Progress | undefined): Promise<void> {
  try {
    makeFolder(dirname(path));
  } catch (error) {
    unlocked(messageOf(error));
    return;
  }
  const lock = new Flock(path, ['--shared']);
  const timer = setTimeout(
    () => progress?.('waiting for another ptdiff that prunes the cache'),
    1000,
  );
  const early = await lock.held;
  clearTimeout(timer);
  if (early !== undefined) {
    unlocked(lock.failure(early.message).message);
    return;
  }
  lock.unref();
  void lock.lost.then(() => {
    say('somebody killed the process that says that this ptdiff uses the cache; another says so');
    used.set(path, hold(path, progress));
  });
}

/** Printed even if nobody follows the progress, since what is in use may be pruned. */
function unlocked(why: string): void {
  say(`nothing keeps others from pruning the cache while this ptdiff uses it: ${why}`);
}

/**
 * Runs `use` while no other ptdiff uses the cache.
 * @throws `host` if one does, or if that cannot be determined
 */
export async function withUnusedCache<T>(use: () => Promise<T>): Promise<T> {
  const path = lockPath();
  makeFolder(dirname(path));
  const lock = new Flock(path, ['--exclusive', '--nonblock']);
  const early = await lock.held;
  if (early?.exitCode === 1)
    throw new PtdiffError('host', 'Another ptdiff uses this cache: prune it when that has ended.');
  if (early !== undefined) throw lock.failure(early.message);
  pruning = true;
  const kept = keepLock(path, lock, say);
  try {
    return await use();
  } finally {
    pruning = false;
    await kept.release();
  }
}
