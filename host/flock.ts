// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { PtdiffError } from '../src/errors.ts';

/**
 * Milliseconds in which the holder of a lock ends when its pipe is closed, if nothing has stopped
 * it.
 */
const releaseMilliseconds = 5000;

/** Locks that are held or waited for. */
const living = new Set<Flock>();

/** A holder that was stopped sees nothing of its pipe, and would hold the lock for good. */
process.on('exit', () => {
  for (const lock of living) lock.kill();
});

/**
 * A lock of the kernel's, flock(2), held by a child that ends when this process closes its pipe or
 * dies, so that a killed ptdiff never leaves one behind.
 */
export class Flock {
  /**
   * Undefined once the lock is held; else, when the holder has ended without it, what it said and
   * its exit code (1 where it was not to wait: flock(1)). Never rejects.
   */
  readonly held: Promise<{ exitCode: number | undefined; message: string } | undefined>;
  /**
   * Resolves when the lock was held and is no longer, though nobody here gave it back: somebody has
   * killed its holder.
   */
  readonly lost: Promise<void>;
  readonly #path: string;
  #wanted = true;
  readonly #holder: ReturnType<typeof startHolder>;

  /**
   * Begins to wait for it.
   * @param path a file, which is made if need be, or a folder
   * @param how options of flock(1)
   */
  constructor(path: string, how: string[] = []) {
    this.#path = path;
    this.#holder = startHolder([...how, path]);
    living.add(this);
    const ended = this.#holder.then(({ exitCode, code, shortMessage = 'it ended' }) => {
      living.delete(this);
      return { exitCode, message: code === 'ENOENT' ? 'there is none on PATH.' : shortMessage };
    });
    // Where it ends without a word nobody waits for one any more.
    const locked = once(this.#holder.stdout, 'data').then(
      () => undefined,
      () => ended,
    );
    this.held = Promise.race([locked, ended]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.lost = promise;
    // Its end as such: what is left of it may keep its pipes open, and hold the lock.
    this.#holder.once('exit', async () => {
      if ((await this.held) !== undefined || !this.#wanted) return;
      this.kill();
      resolve();
    });
  }

  /** Why a holder that has ended does not hold the lock, as a host's fault. */
  failure(message: string): PtdiffError {
    return new PtdiffError(
      'host',
      `Cannot lock ${this.#path} with flock (package util-linux): ${message}`,
    );
  }

  /** Gives the lock back, and returns when it is free. */
  async release(): Promise<void> {
    this.#wanted = false;
    this.#holder.stdin.end();
    const late = setTimeout(() => this.kill(), releaseMilliseconds);
    await this.#holder;
    clearTimeout(late);
  }

  /** flock itself does not look at the pipe, and nothing that was stopped does. */
  kill(): void {
    this.#wanted = false;
    try {
      if (this.#holder.pid !== undefined) process.kill(-this.#holder.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  /** A process without other work may end, though the lock is held until then. */
  unref(): void {
    this.#holder.unref();
    const streams = [this.#holder.stdin, this.#holder.stdout] as (Readable | Writable)[];
    for (const stream of streams) (stream as unknown as { unref?: () => void }).unref?.();
  }
}

/** A session of its own: Ctrl-C must not take the lock away while this process still cleans up. */
function startHolder(words: string[]) {
  return execa('flock', [...words, 'sh', '-c', 'echo locked; exec cat'], {
    detached: true,
    cleanup: false,
    stdin: 'pipe',
    stderr: 'ignore',
    buffer: false,
    reject: false,
  });
}
