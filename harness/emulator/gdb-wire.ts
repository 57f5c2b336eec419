// SPDX-License-Identifier: GPL-2.0-only
import type { Socket } from 'node:net';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { framePacket, GdbPacketParser } from './gdb-packets.ts';

/**
 * The stub answers within milliseconds; if it is silent for this long, even on a loaded host, it
 * never will.
 */
const replyMilliseconds = 60_000;

interface Waiter {
  body: string;
  /** The answer may take as long as the guest runs. */
  patient: boolean;
  resolve(body: string): void;
  reject(error: Error): void;
}

/** The queue of requests on the socket. */
export class Wire {
  acknowledges = true;
  readonly #socket: Socket;
  readonly #parser = new GdbPacketParser();
  readonly #waiting: Waiter[] = [];
  readonly #deadline: NodeJS.Timeout;
  #outgoing = '';
  /** The request that waits first is to end its wait. */
  #interrupted = false;
  #failure?: Error;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#overdue(), replyMilliseconds);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) =>
      this.#fail(`the connection to QEMU's GDB stub broke: ${error.message}.`),
    );
    socket.on('close', () =>
      this.#fail('QEMU closed the connection of its GDB stub: it was killed or it crashed.'),
    );
  }

  request(body: string, options: { patient?: boolean } = {}): Promise<string> {
    if (this.#failure) {
      return Promise.reject(this.#failure);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, body, patient: options.patient ?? false });
      this.#deadline.refresh();
      this.#outgoing += framePacket(body);
      if (this.#outgoing.length === framePacket(body).length) {
        process.nextTick(() => this.#flush());
      }
    });
  }

  /** Requests that are made together are sent together. */
  #flush(): void {
    this.#socket.write(this.#outgoing);
    this.#outgoing = '';
  }

  #overdue(): void {
    const [first] = this.#waiting;
    if (first !== undefined && !first.patient) {
      const request = this.#interrupted
        ? 'the request to stop the guest'
        : `'${first.body.slice(0, 40)}'`;
      this.#fail(`QEMU's GDB stub did not answer ${request} within ${replyMilliseconds / 1000} s.`);
    }
  }

  interrupt(): void {
    const [first] = this.#waiting;
    if (first !== undefined) {
      first.patient = false;
      this.#interrupted = true;
      this.#deadline.refresh();
    }
    this.#socket.write('\x03');
  }

  close(): void {
    this.#fail('The GDB connection is closed.');
  }

  abandon(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting.splice(0)) {
      waiter.reject(this.#failure);
    }
    clearTimeout(this.#deadline);
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const item of this.#parser.push(chunk)) {
        if (item.kind === 'damaged' || item.kind === 'nack') {
          this.#fail("QEMU's GDB stub and ptdiff disagree about a packet's checksum.");
        } else if (item.kind === 'packet') {
          this.#deliver(item.body);
        }
      }
    } catch (error) {
      this.#fail(messageOf(error));
    }
  }

  #deliver(body: string): void {
    if (this.acknowledges) {
      this.#socket.write('+');
    }
    this.#deadline.refresh();
    this.#interrupted = false;
    this.#waiting.shift()?.resolve(body);
  }

  #fail(message: string): void {
    this.abandon(new PtdiffError('emulator', message));
  }
}
