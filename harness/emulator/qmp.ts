// SPDX-License-Identifier: GPL-2.0-only
import type { Socket } from 'node:net';
import { PtdiffError } from '../../src/errors.ts';

/** An asynchronous event of QEMU, e.g. SHUTDOWN with its reason, or GUEST_PANICKED. */
export interface QmpEvent {
  event: string;
  data: Record<string, unknown>;
}

/**
 * Commands are answered within milliseconds; if QEMU is silent for this long, even on a loaded
 * host, it never will answer.
 */
const replyMilliseconds = 60_000;
const maximumLine = 1 << 20;

/**
 * Client of the QEMU Machine Protocol ("QEMU QMP Reference Manual"): JSON objects, one per line;
 * the greeting, then qmp_capabilities, then commands. Commands are answered in order. QEMU reports
 * every stop and start of the guest; these events are read only while an answer is awaited, since a
 * wake-up for each one would double the cost of a breakpoint.
 */
export class QmpClient {
  readonly #socket: Socket;
  readonly #onEvent: (event: QmpEvent) => void;
  readonly #waiting: {
    resolve(value: unknown): void;
    reject(error: Error): void;
    timer?: NodeJS.Timeout;
  }[] = [];
  #pending = '';
  #failure?: Error;

  private constructor(socket: Socket, onEvent: (event: QmpEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#receive(text));
    socket.on('error', (error) =>
      this.#fail(`The QMP connection to QEMU broke: ${error.message}.`),
    );
    socket.on('close', () =>
      this.#fail('QEMU closed its QMP connection: it was killed or it crashed.'),
    );
  }

  /** Waits for the greeting of a connected socket and leaves the negotiation mode. */
  static async open(socket: Socket, onEvent: (event: QmpEvent) => void): Promise<QmpClient> {
    const client = new QmpClient(socket, onEvent);
    await client.#answer('the greeting');
    await client.execute('qmp_capabilities');
    return client;
  }

  /**
   * @throws PtdiffError('emulator') with QEMU's own message when it refuses, or when the connection
   * is gone.
   */
  async execute(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const answer = this.#answer(command);
    if (!this.#failure) {
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    }
    return answer;
  }

  close(): void {
    this.#failure ??= new PtdiffError('harness', 'The QMP connection is closed.');
    this.#socket.destroy();
  }

  #answer(what: string): Promise<unknown> {
    if (this.#failure) {
      return Promise.reject(this.#failure);
    }
    this.#socket.resume();
    return new Promise((resolve, reject) => {
      const message = `QEMU did not answer ${what} over QMP within ${replyMilliseconds / 1000} s.`;
      this.#waiting.push({
        resolve,
        reject,
        timer: setTimeout(() => this.#fail(message), replyMilliseconds),
      });
    });
  }

  #receive(text: string): void {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    if (this.#pending.length > maximumLine) {
      this.#fail(`QEMU sent a QMP line of more than ${maximumLine} bytes.`);
    }
    for (const line of lines.filter((line) => line.trim() !== '')) {
      this.#dispatch(line);
    }
  }

  #dispatch(line: string): void {
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(line);
    } catch {
      this.#fail(`QEMU sent a QMP line that is not JSON: ${line.slice(0, 80)}`);
      return;
    }
    if (typeof message.event === 'string') {
      this.#onEvent({
        event: message.event,
        data: (message.data ?? {}) as Record<string, unknown>,
      });
      return;
    }
    const waiter = this.#waiting.shift();
    clearTimeout(waiter?.timer);
    if (this.#waiting.length === 0) {
      this.#socket.pause();
    }
    if ('error' in message) {
      const description = (message.error as { desc?: string }).desc ?? 'no reason given';
      waiter?.reject(new PtdiffError('emulator', `QEMU refused a QMP command: ${description}`));
    } else {
      waiter?.resolve(message.return ?? message);
    }
  }

  #fail(message: string): void {
    this.#failure ??= new PtdiffError('emulator', message);
    for (const waiter of this.#waiting.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(this.#failure);
    }
    this.#socket.destroy();
  }
}
