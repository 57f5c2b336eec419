// SPDX-License-Identifier: GPL-2.0-only
import { type ChildProcess, fork } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import { answerWithin } from './silence.ts';
import type { ServerAnswer, ServerRequest } from './test-server.ts';

/** A process that runs one test file as often as it is asked to (see test-server.ts). */
export class TestServer {
  readonly #process: ChildProcess;

  /**
   * @param kept number of a mutant that is in force from the first import on
   */
  constructor(root: string, test: string, files: readonly string[], kept = -1) {
    const server = join(import.meta.dirname, 'test-server.ts');
    this.#process = fork(server, [join(root, test), String(kept), ...files], {
      cwd: root,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // The tests of many runs are one test to tap.
      env: { ...process.env, TAP_TIMEOUT: '0' },
    });
  }

  /** Whether it can be asked: a test may end its process, by an error that nobody awaits. */
  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /**
   * Runs the tests. Those that end their process have failed; one that does not answer in time is
   * silent.
   */
  async ask(request: ServerRequest, seconds: number): Promise<ServerAnswer | 'silent'> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const answer = this.#answer(signal);
      const end = once(this.#process, 'exit', { signal });
      this.#process.send(request);
      const failed = end.then(() => ({ passed: false, ran: true }));
      return await answerWithin(seconds, Promise.race([answer, failed]));
    } finally {
      waiting.abort();
    }
  }

  /** tap has words of its own for whoever started a test. */
  async #answer(signal: AbortSignal): Promise<ServerAnswer> {
    for await (const [message] of on(this.#process, 'message', { signal })) {
      if (typeof message === 'object' && message !== null && 'passed' in message) return message;
    }
    throw new Error('The channel of a test process was closed.');
  }

  end(): void {
    this.#process.kill('SIGKILL');
  }
}
