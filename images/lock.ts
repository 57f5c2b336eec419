import { once } from 'node:events';
import { dirname } from 'node:path';
import { execa } from 'execa';
import { PtdiffError } from '../src/errors.ts';
import { cachePath, type Progress } from './cache.ts';
import { makeFolder } from './make-folder.ts';

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
 * Runs `use` while no other ptdiff of this cache holds the lock of that name. The lock is the kernel's (flock), held by
 * a child that ends when this process closes its pipe or dies, so a killed run never leaves one behind.
 */
export async function withLock<T>(name: string, use: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const { waiting, progress, signal } = options;
  signal?.throwIfAborted();
  const path = cachePath('locks', name);
  makeFolder(dirname(path));
  // A session of its own: Ctrl-C must not take the lock away while this process still cleans up.
  const holder = execa('flock', [path, 'sh', '-c', 'echo locked; exec cat'], {
    detached: true,
    stdin: 'pipe',
    buffer: false,
    reject: false,
  });
  const timer = setTimeout(() => waiting !== undefined && progress?.(waiting), patience);
  // flock itself does not look at the pipe.
  const giveUp = () => holder.kill();
  signal?.addEventListener('abort', giveUp);
  const locked = once(holder.stdout, 'data');
  const early = await Promise.race([locked.then(() => undefined), holder]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', giveUp);
  try {
    signal?.throwIfAborted();
    if (early !== undefined) {
      throw new PtdiffError('host', `Cannot lock ${path} with flock (package util-linux): ${early.message}`);
    }
    return await use();
  } finally {
    holder.stdin.end();
    await holder;
  }
}

/** Something that the cache has, or that can be made for it. */
export interface Obtainable<T> {
  /** @returns undefined where the cache does not have it */
  find: () => Promise<T | undefined>;
  make: () => Promise<T>;
}

/** What the cache has or else what is made for it, by one ptdiff at a time: those who waited find it made. */
export async function obtain<T>(lock: string, { find, make }: Obtainable<T>, options: LockOptions): Promise<T> {
  return (await find()) ?? (await withLock(lock, async () => (await find()) ?? (await make()), options));
}
