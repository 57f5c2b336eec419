// SPDX-License-Identifier: GPL-2.0-only
/**
 * Reads guest RAM from outside. Undefined where the address is not in RAM: addresses written by a
 * guest cannot be trusted.
 */
export type ReadPhysical = (pa: number, bytes: number) => Uint8Array | undefined;

/** Where init's records are: the directory page of guest/init/protocol.h. */
interface RecordDirectory {
  pageBytes: number;
  nonce: bigint;
  /** Bytes of complete records. */
  committed: number;
  /** Records that did not fit into the guest's buffer. */
  lost: number;
  /** Physical addresses of the pages that list the data pages. */
  indexPages: number[];
}

const directoryMagic = 0x3144524646494450n;
const directoryVersion = 1;
const headerBytes = 40;
/** init holds at most 64 MiB; a directory that claims more is damaged. */
const maxStreamBytes = 64 << 20;

/** Parses a directory page. Returns a sentence when it is not valid. */
export function parseDirectory(page: Uint8Array): RecordDirectory | string {
  if (page.length < headerBytes) return 'The directory page of the guest is cut short.';
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  if (view.getBigUint64(0, true) !== directoryMagic)
    return 'The guest has no record directory at the address it gave.';
  const version = view.getUint32(8, true);
  if (version !== directoryVersion)
    return `The guest's record directory has version ${version}, not ${directoryVersion}.`;
  const pageBytes = view.getUint32(12, true);
  if (![4096, 16384, 65536].includes(pageBytes))
    return `The guest's record directory claims pages of ${pageBytes} bytes.`;
  const committed = view.getBigUint64(24, true);
  if (committed > maxStreamBytes)
    return `The guest's record directory claims ${committed} bytes of records.`;
  const indexPages: number[] = [];
  for (let at = headerBytes; at + 8 <= page.length; at += 8) {
    const pa = view.getBigUint64(at, true);
    if (pa === 0n) break;
    indexPages.push(Number(pa));
  }
  const lost = Number(view.getBigUint64(32, true));
  return {
    pageBytes,
    nonce: view.getBigUint64(16, true),
    committed: Number(committed),
    lost,
    indexPages,
  };
}

/**
 * Collects the stream of records from the data pages. When a page cannot be read the stream ends
 * before it, and `damage` says so.
 */
export function readStream(
  directory: RecordDirectory,
  read: ReadPhysical,
): { bytes: Uint8Array; damage?: string } {
  const { pageBytes, committed } = directory;
  const stream = new Uint8Array(committed);
  let done = 0;
  for (const indexPage of directory.indexPages) {
    if (done >= committed) break;
    const index = read(indexPage, pageBytes);
    if (index?.length !== pageBytes) return cutStream(stream, done, indexPage);
    const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
    for (let at = 0; at < pageBytes && done < committed; at += 8) {
      const pa = Number(view.getBigUint64(at, true));
      const page = pa === 0 ? undefined : read(pa, pageBytes);
      if (page?.length !== pageBytes) return cutStream(stream, done, pa);
      stream.set(page.subarray(0, Math.min(pageBytes, committed - done)), done);
      done += pageBytes;
    }
  }
  return done < committed ? cutStream(stream, done, 0) : { bytes: stream };
}

function cutStream(
  stream: Uint8Array,
  done: number,
  pa: number,
): { bytes: Uint8Array; damage: string } {
  const damage = `The guest's records end after ${done} of ${stream.length} bytes: its page at 0x${pa.toString(16)} cannot be read.`;
  return { bytes: stream.subarray(0, done), damage };
}
