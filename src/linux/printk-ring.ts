// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log in its own memory: struct printk_ringbuffer of kernel/printk/printk_ringbuffer.h,
 * the same from 6.12 to 7.3 but for the size of struct printk_info.
 */

/** sizeof(struct printk_ringbuffer) without its last member, which counts failures. */
export const printkRingBytes = 80;

/** sizeof(struct printk_info), without and with CONFIG_PRINTK_EXECUTION_CTX (since 7.1). */
const infoSizes = [88, 112] as const;

/** Larger rings are not believed: CONFIG_LOG_BUF_SHIFT is at most 25, a record takes 32 bytes. */
const mostRecordBits = 20;
const mostTextBits = 25;

const idMask = (1n << 62n) - 1n;
/** enum desc_state: the text of a record is whole. */
const committed = 1n;
const finalized = 2n;

/** Reads memory by kernel virtual address; undefined for what is not mapped to RAM. */
export type ReadKernel = (address: bigint, bytes: number) => Buffer | undefined;

interface Ring {
  recordBits: number;
  descs: bigint;
  infos: bigint;
  head: bigint;
  tail: bigint;
  textBits: number;
  text: bigint;
}

/** A record whose text is whole: where it lies, and its place in the array of infos. */
interface WholeRecord {
  place: bigint;
  at: bigint;
  bytes: number;
}

function ringOf(bytes: Buffer): Ring | undefined {
  const ring = {
    recordBits: bytes.readUInt32LE(0),
    descs: bytes.readBigUInt64LE(8),
    infos: bytes.readBigUInt64LE(16),
    head: bytes.readBigUInt64LE(24) & idMask,
    tail: bytes.readBigUInt64LE(32) & idMask,
    textBits: bytes.readUInt32LE(48),
    text: bytes.readBigUInt64LE(56),
  };
  return ring.recordBits <= mostRecordBits && ring.textBits <= mostTextBits ? ring : undefined;
}

/** get_data(): a block that does not fit before the end of the ring lies at its beginning. */
function blockOf(ring: Ring, begin: bigint, next: bigint): { at: bigint; bytes: number } {
  const bits = BigInt(ring.textBits);
  const within = (1n << bits) - 1n;
  const wrapped = begin >> bits !== (next - 1n) >> bits;
  const from = wrapped ? 0n : begin & within;
  return { at: ring.text + from, bytes: Number(((next - 1n) & within) + 1n - from) };
}

/** Records from the oldest on; undefined where the descriptors cannot be read. */
function wholeRecords(ring: Ring, read: ReadKernel): WholeRecord[] | undefined {
  const count = 1n << BigInt(ring.recordBits);
  const records: WholeRecord[] = [];
  const behind = (ring.head - ring.tail) & idMask;
  if (behind >= count) return undefined;
  for (let step = 0n; step <= behind; step++) {
    const id = (ring.tail + step) & idMask;
    const place = id % count;
    const desc = read(ring.descs + place * 24n, 24);
    if (!desc) return undefined;
    const state = desc.readBigUInt64LE(0);
    const isWhole = [committed, finalized].includes(state >> 62n) && (state & idMask) === id;
    const [begin, next] = [desc.readBigUInt64LE(8), desc.readBigUInt64LE(16)];
    // An odd place is that of a record without text (NO_LPOS, FAILED_LPOS).
    if (!isWhole || (begin & 1n) === 1n) continue;
    const { at, bytes } = blockOf(ring, begin, next);
    if (bytes >= 8) records.push({ place, at: at + 8n, bytes: bytes - 8 });
  }
  return records;
}

/** A line as syslog(2) gives it, with its caller, which tells reports of several CPUs apart. */
function lineOf(info: Buffer, text: string): string {
  const microseconds = info.readBigUInt64LE(8) / 1000n;
  const seconds = String(microseconds / 1_000_000n).padStart(5);
  const fraction = String(microseconds % 1_000_000n).padStart(6, '0');
  const caller = info.readUInt32LE(20);
  const name = caller & 0x80000000 ? `C${caller & 0x7fffffff}` : `T${caller}`;
  return text
    .split('\n')
    .map((line) => `[${seconds}.${fraction}][${name.padStart(6)}] ${line}\n`)
    .join('');
}

/** The infos of records, where they have this size: then their numbers follow each other. */
function infosOf(
  { infos }: Ring,
  records: readonly WholeRecord[],
  size: number,
  read: ReadKernel,
): Buffer[] | undefined {
  const found: Buffer[] = [];
  for (const { place, bytes } of records) {
    const info = read(infos + place * BigInt(size), 24);
    const before = found.at(-1)?.readBigUInt64LE(0);
    if (!info || info.readUInt16LE(16) > bytes) return undefined;
    if (before !== undefined && info.readBigUInt64LE(0) <= before) return undefined;
    found.push(info);
  }
  return found;
}

/**
 * The text of the kernel's log, from its own memory. The guest's text is hostile: bounded by the
 * size of its ring.
 * @param bytes the first `printkRingBytes` of a struct printk_ringbuffer
 * @returns undefined where its numbers make no sense, or point to what is no memory
 */
export function printkLog(bytes: Buffer, read: ReadKernel): string | undefined {
  const ring = ringOf(bytes);
  const records = ring && wholeRecords(ring, read);
  if (!ring || !records) return undefined;
  for (const size of infoSizes) {
    const infos = infosOf(ring, records, size, read);
    if (!infos) continue;
    const texts = records.map(({ at }, index) => {
      const length = infos[index]?.readUInt16LE(16) ?? 0;
      return length === 0 ? '' : read(at, length)?.toString('utf8');
    });
    if (texts.includes(undefined)) return undefined;
    return infos.map((info, index) => lineOf(info, texts[index] ?? '')).join('');
  }
  return undefined;
}
