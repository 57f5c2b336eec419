// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { PtdiffError } from '../src/errors.ts';

/**
 * Milliseconds within which the holder of a lock ends after its pipe is closed, unless something
 * has stopped it.
 */
const releaseMilliseconds = 5000;

/** Locks that are held or waited for. */
const living = new Set<Flock>();

/** A stopped holder does not notice its pipe, and would hold the lock for good. */
process.on('exit', () => {
  for (const lock of living) lock.kill();
});

/**
 * A kernel lock, flock(2), held by a child that ends when this process closes its pipe or dies, so
 * a killed ptdiff never leaves one behind.
 */
export class Flock {
  /**
   * Resolves to undefined once the lock is held; if the holder ended without it, to its message and
   * its exit code (1 if it was not to wait: flock(1)). Never rejects.
   */
  readonly held: Promise<{ exitCode: number | undefined; message: string } | undefined>;
  /**
   * Resolves when the lock was held and no longer is, although this process did not release it: its
   * holder was killed.
   */
  readonly lost: Promise<void>;
  readonly #path: string;
  #wanted = true;
  readonly #holder: ReturnType<typeof startHolder>;

  /**
   * Starts to wait for it.
   * @param path a file, which is created if necessary, or a folder
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
    // If it ends without output, nothing awaits this promise any more.
    const locked = once(this.#holder.stdout, 'data').then(
      () => undefined,
      () => ended,
    );
    this.held = Promise.race([locked, ended]);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.lost = promise;
    // The end of the process itself: processes that it left behind may keep its pipes open, and
    // hold the lock.
    this.#holder.once('exit', async () => {
      if ((await this.held) !== undefined || !this.#wanted) return;
      this.kill();
      resolve();
    });
  }

  /** Why a holder that has ended does not hold the lock, as an error of the host. */
  failure(message: string): PtdiffError {
    return new PtdiffError(
      'host',
      `Cannot lock ${this.#path} with flock (package util-linux): ${message}`,
    );
  }

  /** Releases the lock, and returns when it is free. */
  async release(): Promise<void> {
    this.#wanted = false;
    this.#holder.stdin.end();
    const late = setTimeout(() => this.kill(), releaseMilliseconds);
    await this.#holder;
    clearTimeout(late);
  }

  /** flock itself does not watch the pipe, nor does a stopped process. */
  kill(): void {
    this.#wanted = false;
    try {
      if (this.#holder.pid !== undefined) process.kill(-this.#holder.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  /** A process without other work may end, although the lock is held until then. */
  unref(): void {
    this.#holder.unref();
    const streams = [this.#holder.stdin, this.#holder.stdout] as (Readable | Writable)[];
    for (const stream of streams) (stream as unknown as { unref?: () => void }).unref?.();
  }
}

/**
 * In a separate session: Ctrl-C must not release the lock while this process is still cleaning up.
 */
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
