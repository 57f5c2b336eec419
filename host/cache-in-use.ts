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
 * pruned (alone).
 */
const lockPath = (): string => cachePath('locks', 'in-use');

/** What this process uses, by the path of the lock. */
const used = new Map<string, Promise<void>>();
/** While this process prunes. */
let pruning = false;

/**
 * Says that this process uses the cache until it ends, so that nothing is pruned under it. A host
 * without flock, or a cache that cannot be written to, goes on without, and one line says so: such
 * a host prunes nothing itself, and what another one prunes is missed with a message.
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

/** Said even where nobody follows the progress: what is in use may be pruned. */
function unlocked(why: string): void {
  say(`nothing keeps others from pruning the cache while this ptdiff uses it: ${why}`);
}

/**
 * Runs `use` while no other ptdiff uses the cache.
 * @throws `host` where one does, or where that cannot be told
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
