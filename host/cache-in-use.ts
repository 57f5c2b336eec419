// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Held by every ptdiff that has taken something from the cache (shared), and while the cache is
 * pruned (alone).
 */
const lockPath = (): string => cachePath('locks', 'in-use');

/** What this process uses, by the path of the lock. */
const used = new Map<string, Promise<void>>();
/** While this process prunes. */
let pruning = false;

/** A process without need for it anymore may end, though the lock is held until then. */
function unref(...streams: (Readable | Writable | null)[]): void {
  for (const stream of streams) (stream as unknown as { unref?: () => void } | null)?.unref?.();
}

/**
 * Says that this process uses the cache until it ends, so that nothing is pruned under it. The lock
 * is the kernel's (flock), held by a child that ends with this process. A host without flock, or a
 * cache that cannot be written to, goes on without: there nothing is pruned.
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
  const holder = startHolder(['--shared', path]);
  const timer = setTimeout(
    () => progress?.('waiting for another ptdiff that prunes the cache'),
    1000,
  );
  await Promise.race([once(holder.stdout, 'data').catch(() => {}), holder]);
  clearTimeout(timer);
  holder.unref();
  unref(holder.stdin, holder.stdout, holder.stderr);
}

function startHolder(words: string[]) {
  return execa('flock', [...words, 'sh', '-c', 'echo locked; exec cat'], {
    // A session of its own: Ctrl-C must not take the lock away while this process still cleans up.
    detached: true,
    cleanup: false,
    stdin: 'pipe',
    stderr: 'ignore',
    buffer: false,
    reject: false,
  });
}

/**
 * Runs `use` while no other ptdiff uses the cache.
 * @throws `host` where one does, or where that cannot be told
 */
export async function withUnusedCache<T>(use: () => Promise<T>): Promise<T> {
  const path = lockPath();
  makeFolder(dirname(path));
  const holder = startHolder(['--exclusive', '--nonblock', path]);
  const locked = once(holder.stdout, 'data').then(() => undefined);
  locked.catch(() => {});
  const early = await Promise.race([locked, holder]);
  if (early !== undefined) {
    const why =
      early.exitCode === 1
        ? 'Another ptdiff uses this cache: prune it when that has ended.'
        : `Cannot lock ${path} with flock (package util-linux): ${early.message}`;
    throw new PtdiffError('host', why);
  }
  pruning = true;
  try {
    return await use();
  } finally {
    pruning = false;
    holder.stdin.end();
    await holder;
  }
}
