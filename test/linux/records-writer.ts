// SPDX-License-Identifier: GPL-2.0-only
import { crc32 } from 'node:zlib';

/** A record as init would send it. */
export interface SentRecord {
  type: number;
  name: string;
  payload: Uint8Array;
}

export const recordTypes = { piece: 1, fileEnd: 2, probe: 3, problem: 4 };

/**
 * Guest RAM as a map of pages, with records laid out as guest/init/protocol.h says, on pages that
 * are scattered.
 */
export interface GuestRam {
  directory: Uint8Array;
  pages: Map<number, Uint8Array>;
  read(pa: number, bytes: number): Uint8Array | undefined;
}

/** Lays out records in a RAM of `pageBytes` pages. */
export function ramWith(records: readonly SentRecord[], pageBytes = 4096): GuestRam {
  const stream = Buffer.concat(records.map(encode));
  const pages = new Map<number, Uint8Array>();
  let next = 0x40000000 + pageBytes * 1000;
  // Downwards and with gaps: neither order nor neighbourhood may matter.
  const place = (content: Uint8Array): number => {
    const page = new Uint8Array(pageBytes);
    page.set(content);
    next -= pageBytes * 3;
    pages.set(next, page);
    return next;
  };
  const data: number[] = [];
  for (let at = 0; at < stream.length; at += pageBytes)
    data.push(place(stream.subarray(at, at + pageBytes)));
  const index: number[] = [];
  for (let at = 0; at < data.length; at += pageBytes / 8)
    index.push(place(addresses(data.slice(at, at + pageBytes / 8))));
  const directory = new Uint8Array(pageBytes);
  const view = new DataView(directory.buffer);
  view.setBigUint64(0, 0x3144524646494450n, true);
  view.setUint32(8, 1, true);
  view.setUint32(12, pageBytes, true);
  view.setBigUint64(16, 0x1234n, true);
  view.setBigUint64(24, BigInt(stream.length), true);
  directory.set(addresses(index), 40);
  const read = (pa: number, bytes: number) => pages.get(pa)?.subarray(0, bytes);
  return { directory, pages, read };
}

/** A whole file as pieces and an end. */
export function fileRecords(name: string, content: string, pieces = 1): SentRecord[] {
  const bytes = new TextEncoder().encode(content);
  const size = Math.ceil(bytes.length / pieces) || 1;
  const sent = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => ({
    type: recordTypes.piece,
    name,
    payload: bytes.subarray(i * size, (i + 1) * size),
  }));
  return [...sent, fileEnd(name, 0, 0)];
}

export function fileEnd(name: string, errno: number, cut: number): SentRecord {
  return {
    type: recordTypes.fileEnd,
    name,
    payload: new Uint8Array(Uint32Array.of(errno, cut).buffer),
  };
}

function encode(record: SentRecord, sequence: number): Buffer {
  const name = Buffer.from(record.name);
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0x52445450, 0);
  header.writeUInt32LE(sequence, 4);
  header.writeUInt16LE(record.type, 8);
  header.writeUInt16LE(name.length, 10);
  header.writeUInt32LE(record.payload.length, 12);
  const whole = Buffer.concat([header, name, record.payload]);
  whole.writeUInt32LE(crc32(whole), 16);
  return Buffer.concat([whole, Buffer.alloc(-whole.length & 7)]);
}

function addresses(pages: readonly number[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(pages, BigInt).buffer);
}
