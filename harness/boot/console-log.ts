// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readSync } from 'node:fs';

/**
 * The part of a console that is kept: its beginning and its end. Output between them is counted and
 * dropped.
 */
const headBytes = 3 << 20;
const tailBytes = 1 << 20;
/**
 * Bytes per read; if a guest prints faster than this between two looks, the middle is lost, not the
 * end.
 */
const pieceBytes = 1 << 16;

/** A bounded record of a byte stream: its first and last bytes. */
export class BoundedLog {
  total = 0;
  #head: Buffer[] = [];
  #headLength = 0;
  #tail: Buffer[] = [];
  #tailLength = 0;

  append(bytes: Buffer): void {
    this.total += bytes.length;
    const room = headBytes - this.#headLength;
    if (room > 0) {
      this.#head.push(bytes.subarray(0, room));
      this.#headLength += Math.min(room, bytes.length);
    }
    if (bytes.length > room) {
      this.#tail.push(bytes.subarray(Math.max(room, 0)));
      this.#tailLength += bytes.length - Math.max(room, 0);
    }
    for (;;) {
      const [oldest, newer] = this.#tail;
      if (!oldest || !newer || this.#tailLength - oldest.length < tailBytes) break;
      this.#tailLength -= oldest.length;
      this.#tail.shift();
    }
  }

  /** The text, with a line in place of the dropped part. Bytes that are not UTF-8 become U+FFFD. */
  text(): string {
    const head = Buffer.concat(this.#head).toString('utf8');
    const dropped = this.total - this.#headLength - this.#tailLength;
    const gap = dropped > 0 ? `\n[ptdiff: ${dropped} bytes of console output dropped]\n` : '';
    return head + gap + Buffer.concat(this.#tail).toString('utf8');
  }
}

/**
 * The console of a guest, which QEMU writes to a file: reading it costs neither side anything per
 * byte. The file may lose its name while it is open.
 */
export class ConsoleLog {
  readonly #log = new BoundedLog();
  readonly #descriptor: number;
  readonly #piece = Buffer.alloc(pieceBytes);

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
  }

  /** Bytes printed so far. */
  get total(): number {
    return this.#log.total;
  }

  /** Reads what was printed since the last call, at most `limit` bytes in all. */
  poll(limit: number): void {
    while (this.#log.total < limit) {
      const count = readSync(this.#descriptor, this.#piece, 0, pieceBytes, this.#log.total);
      if (count === 0) {
        return;
      }
      this.#log.append(Buffer.from(this.#piece.subarray(0, count)));
    }
  }

  text(): string {
    return this.#log.text();
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
