// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../src/errors.ts';
import type { Progress } from './cache.ts';
import { Flock } from './flock.ts';

/** Seconds in which what is left of a killed holder lets go of the lock. */
const regainSeconds = 5;

/** A lock that is held until it is given back. */
export interface KeptLock {
  /** Gives the lock back, and returns when it is free. */
  release(): Promise<void>;
}

/**
 * Keeps an exclusive lock that is held. If somebody kills its holder, it is taken again, and one
 * line says so. If another ptdiff has it by then, two of them would write the same files: a
 * PtdiffError that nobody can catch ends this one at once, and with it all that it started.
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
