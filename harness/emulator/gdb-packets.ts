// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';

/**
 * What arrives from a GDB remote stub ("GDB Remote Serial Protocol", Overview): a packet
 * `$body#checksum`, an acknowledgement, or a packet with a wrong checksum. Bodies are latin1
 * strings, one character per byte, unescaped.
 */
export type GdbItem =
  | { kind: 'packet'; body: string }
  | { kind: 'ack' }
  | { kind: 'nack' }
  | { kind: 'damaged' };

/**
 * No stub sends more than its announced PacketSize (4 KiB in QEMU), doubled by hexadecimal and
 * escapes.
 */
const maximumPacket = 1 << 20;

/**
 * Frames a packet body for the wire. Bodies that we send are ASCII without characters that need an
 * escape.
 */
export function framePacket(body: string): string {
  return `$${body}#${checksum(body)}`;
}

/**
 * Cuts a byte stream into items, however the stream was split. Bytes between packets are skipped.
 */
export class GdbPacketParser {
  #pending = '';

  /** @throws PtdiffError('emulator') when a packet never ends. */
  push(chunk: Uint8Array): GdbItem[] {
    let text =
      this.#pending +
      Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const items: GdbItem[] = [];
    for (;;) {
      const start = text.search(/[$+-]/);
      if (start < 0) {
        text = '';
        break;
      }
      if (text[start] !== '$') {
        items.push({ kind: text[start] === '+' ? 'ack' : 'nack' });
        text = text.slice(start + 1);
        continue;
      }
      const end = text.indexOf('#', start);
      if (end < 0 || text.length < end + 3) {
        text = text.slice(start);
        break;
      }
      items.push(openPacket(text.slice(start + 1, end), text.slice(end + 1, end + 3)));
      text = text.slice(end + 3);
    }
    if (text.length > maximumPacket) {
      throw new PtdiffError(
        'emulator',
        `QEMU's GDB stub sent a packet of more than ${maximumPacket} bytes.`,
      );
    }
    this.#pending = text;
    return items;
  }
}

function openPacket(raw: string, sum: string): GdbItem {
  if (checksum(raw) !== sum.toLowerCase()) {
    return { kind: 'damaged' };
  }
  const body = raw.replaceAll(/\}([\s\S])/g, (_, escaped: string) =>
    String.fromCharCode(escaped.charCodeAt(0) ^ 0x20),
  );
  return { kind: 'packet', body };
}

function checksum(body: string): string {
  let sum = 0;
  for (let index = 0; index < body.length; index++) {
    sum = (sum + body.charCodeAt(index)) & 0xff;
  }
  return sum.toString(16).padStart(2, '0');
}
