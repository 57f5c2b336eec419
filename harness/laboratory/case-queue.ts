// SPDX-License-Identifier: GPL-2.0-only

/** Cases that wait to be run. Until the queue is closed, more may come, and in another order. */
export class CaseQueue<C> {
  #waiting: C[] = [];
  #closed = false;
  #changed = Promise.withResolvers<void>();

  /** A queue of all cases that there will be. */
  static of<C>(cases: readonly C[]): CaseQueue<C> {
    const queue = new CaseQueue<C>();
    queue.offer(cases);
    queue.close();
    return queue;
  }

  /** Replaces what waits. */
  offer(cases: readonly C[]): void {
    this.#waiting = [...cases];
    this.#tell();
  }

  /** No more will come. */
  close(): void {
    this.#closed = true;
    this.#tell();
  }

  /** True as soon as a case waits; false when none will, or the signal is aborted. */
  async ready(signal: AbortSignal): Promise<boolean> {
    const aborted = Promise.withResolvers<void>();
    const abort = () => aborted.resolve();
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (this.#waiting.length === 0 && !this.#closed && !signal.aborted)
        await Promise.race([this.#changed.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', abort);
    }
    return this.#waiting.length > 0 && !signal.aborted;
  }

  /** The next one; it no longer waits. */
  take(): C | undefined {
    return this.#waiting.shift();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
