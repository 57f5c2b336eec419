// SPDX-License-Identifier: GPL-2.0-only
import { dirname } from 'node:path';
import { PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { Flock } from './flock.ts';
import { makeFolder } from './make-folder.ts';

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
 * flock, or with a read-only cache, ptdiff continues without the lock: nothing can be pruned there.
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
  } catch {
    return;
  }
  const lock = new Flock(path, ['--shared']);
  const timer = setTimeout(
    () => progress?.('waiting for another ptdiff that prunes the cache'),
    1000,
  );
  await lock.held;
  clearTimeout(timer);
  lock.unref();
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
  try {
    return await use();
  } finally {
    pruning = false;
    await lock.release();
  }
}
