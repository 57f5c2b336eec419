// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../src/errors.ts';
import type { Progress } from './cache.ts';
import { Flock } from './flock.ts';

/** Seconds within which the remains of a killed holder release the lock. */
const regainSeconds = 5;

/** A lock that is held until it is released. */
export interface KeptLock {
  /** Releases the lock, and returns when it is free. */
  release(): Promise<void>;
}

/**
 * Keeps an exclusive lock that is held. If its holder is killed, the lock is taken again, and one
 * line says so. If another ptdiff has it by then, both would write the same files: an uncatchable
 * PtdiffError ends this process at once, together with everything that it started.
 */
export function keepLock(path: string, lock: Flock, progress: Progress): KeptLock {
  let current = lock;
  let regaining: Promise<void> = Promise.resolve();
  const regain = async (): Promise<void> => {
    const next = new Flock(path, ['--exclusive', '--timeout', String(regainSeconds)]);
    if ((await next.held) !== undefined)
      throw new PtdiffError(
        'host',
        `The lock on ${path} was taken away from this ptdiff, and cannot be had again, so that another may write there now: this one ends. Start it again when the other has ended.`,
      );
    progress(`somebody killed the process that holds the lock on ${path}; it is held again`);
    watch(next);
  };
  const watch = (held: Flock): void => {
    current = held;
    void held.lost.then(() => {
      regaining = regain();
    });
  };
  watch(lock);
  return {
    async release() {
      await regaining;
      await current.release();
    },
  };
}
