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
   * silent; one that ended after its last answer, by what that one left running, is gone.
   */
  async ask(request: ServerRequest, seconds: number): Promise<ServerAnswer | 'silent' | 'gone'> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const answer = this.#answer(signal);
      const end = once(this.#process, 'exit', { signal });
      const failed = end.then(() => ({ passed: false, ran: true }));
      const first = Promise.race([answer, failed]);
      // Nobody waits for it when the process is gone.
      first.catch(() => {});
      if (!(await this.#send(request))) return 'gone';
      return await answerWithin(seconds, first);
    } finally {
      waiting.abort();
    }
  }

  #send(request: ServerRequest): Promise<boolean> {
    return new Promise((resolve) => this.#process.send(request, (error) => resolve(!error)));
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
