// SPDX-License-Identifier: GPL-2.0-only
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { readRegular, whyUnreadable } from '../../../host/read-file.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { type Board, boardBounds, boardMembers, mostBytesOf } from '../../../src/evidence/board.ts';
import { inArchive, printable } from '../../../src/evidence/board-lines.ts';
import { readBoard } from '../../../src/evidence/read-board.ts';

/** All members, the Image, and the headers and padding of tar. */
const mostUnpacked = boardBounds.unpacked + boardBounds.image + 2 ** 20;

/**
 * Reads an archive of `collect` from a file. Nothing is unpacked to the disk, and nothing but the
 * members that an archive has is kept in memory.
 * @throws PtdiffError(usage), one sentence that names the file
 */
export async function readArchive(path: string): Promise<Board> {
  const file = await readRegular(path, mostUnpacked).catch((error) => {
    throw new PtdiffError('usage', `Cannot read ${path}: ${whyUnreadable(error)}.`, {
      cause: error,
    });
  });
  try {
    return readBoard(await membersOf(file));
  } catch (error) {
    if (error instanceof PtdiffError) throw inArchive(path, error);
    throw new PtdiffError(
      'usage',
      `${path} is not a whole archive of ptdiff collect: ${printable(messageOf(error), 200)}; copy it again, or collect it again.`,
      { cause: error },
    );
  }
}

/** Contents of the members of a tar file, which may be compressed with gzip. */
async function membersOf(file: Buffer): Promise<Map<string, Uint8Array>> {
  const members = new Members();
  let bytes = 0;
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > mostUnpacked) throw new Error('it unpacks to more than any archive has');
      members.write(chunk);
    }
  };
  const isPacked = file.length > 2 && file.readUInt16BE(0) === 0x1f8b;
  if (isPacked) await pipeline(Readable.from([file]), createGunzip(), take);
  else await pipeline(Readable.from([file]), take);
  return members.end();
}

/** Collects the members as tar's parser meets them. The first fault is the one that is told. */
class Members {
  readonly #found = new Map<string, Uint8Array>();
  readonly #parser: Parser;
  #fault: Error | undefined;
  #bytes = 0;
  #ended = false;

  constructor() {
    this.#parser = new Parser({ strict: true, onReadEntry: (entry) => this.#take(entry) });
    this.#parser.on('eof', () => {
      this.#ended = true;
    });
    this.#parser.on('error', (error: unknown) => {
      this.#fault ??= error instanceof Error ? error : new Error(String(error));
    });
  }

  write(chunk: Buffer): void {
    // The parser keeps what follows the end, and copies it with each write.
    if (this.#ended) return;
    this.#parser.write(chunk);
    if (this.#fault) throw this.#fault;
  }

  end(): Map<string, Uint8Array> {
    this.#parser.end();
    if (this.#fault) throw this.#fault;
    return this.#found;
  }

  #take(entry: ReadEntry): void {
    const why = this.#whyNot(entry);
    if (why !== undefined) {
      this.#fault ??= new Error(why);
      entry.resume();
      return;
    }
    const pieces: Buffer[] = [];
    const { path, size } = entry;
    this.#found.set(path, Buffer.alloc(0));
    entry.on('data', (piece) => pieces.push(Buffer.from(piece)));
    entry.on('end', () => {
      const whole = Buffer.concat(pieces);
      if (whole.length !== size) this.#fault ??= new Error(`'${path}' in it is cut short`);
      this.#found.set(path, whole);
    });
  }

  #whyNot({ path, type, size }: ReadEntry): string | undefined {
    const name = `'${printable(String(path))}' in it`;
    if (type !== 'File' && type !== 'OldFile') return `${name} is no file, but ${printable(type)}`;
    if (!boardMembers.has(path)) return `${name} belongs to no archive of ptdiff collect`;
    if (this.#found.has(path)) return `${name} is there twice`;
    if (size > mostBytesOf(path)) return `${name} is larger than it can be`;
    if (path !== 'Image') this.#bytes += size;
    return this.#bytes > boardBounds.unpacked
      ? 'it unpacks to more than any archive has'
      : undefined;
  }
}
