// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Redis } from 'ioredis';
import { cachePath, sha256 } from '../../../host/cache.ts';
import { explainDiskFull } from '../../../host/disk-space.ts';
import { withLock } from '../../../host/lock.ts';
import { mostBytes } from '../../../host/read-file.ts';
import { publishFolder, sealPath, takeFolder } from '../../../host/sealed-folder.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { persistently } from './link.ts';
import { blobLife, keys } from './protocol.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** An Image becomes a third within half a second. */
const quickly = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** Bytes of a file as it travels: the engine takes no value of more. */
const mostPacked = 2 ** 29 - 1;
/** How often a worker looks whether what it asked for has come, in milliseconds. */
const glance = 250;
/** Glances after which it asks again: the engine may have forgotten the question. */
const glancesToAsk = 40;
/** How long a worker waits for a file that nobody brings, in milliseconds. */
const patience = 10 * 60_000;

/** Files that a run has and a worker may ask for, by their hashes. */
export class BlobShelf {
  readonly #files = new Map<string, string | Uint8Array>();
  readonly #client: Redis;
  readonly #run: string;
  #serving = false;

  constructor(client: Redis, run: string) {
    this.#client = client;
    this.#run = run;
  }

  /**
   * From now on workers get this file, and no other than those that were offered.
   * @param file its path, or what it holds
   */
  offer(sha256: string, file: string | Uint8Array): void {
    this.#files.set(sha256, file);
  }

  /** Brings what workers have asked for since the last time, one file after the other. */
  async serve(): Promise<void> {
    if (this.#serving) return;
    this.#serving = true;
    try {
      await this.#bring();
    } finally {
      this.#serving = false;
    }
  }

  async #bring(): Promise<void> {
    for (;;) {
      const asked = await this.#client.spop(keys.wanted(this.#run));
      if (asked === null) return;
      const file = this.#files.get(asked);
      if (file === undefined) continue;
      const key = keys.blob(asked);
      if ((await this.#client.pexpire(key, blobLife)) === 1) continue;
      const content = typeof file === 'string' ? await readFile(file) : file;
      const packed = await compress(content, { params: quickly });
      await this.#client.set(key, packed, 'PX', blobLife);
    }
  }
}

/** What of a worker's cache was fetched from farms. */
const fetched = (digest: string): string => cachePath('farm', digest);

/**
 * A file by its hash: from the cache, or from the run that asked for the case.
 * @returns its path
 * @throws PtdiffError(host) when nobody brings it, or what comes is another file
 */
export async function fetchBlob(
  { client, run, keep }: { client: Redis; run: string; keep: number },
  digest: string,
  signal: AbortSignal,
): Promise<string> {
  const path = join(fetched(digest), 'content');
  if (await isThere(digest)) return path;
  return withLock(
    `farm-${digest.slice(0, 16)}`,
    async () => {
      if (await isThere(digest)) return path;
      const content = await askFor(client, run, digest, signal);
      await publishFolder(fetched(digest), (arriving) =>
        writeFile(join(arriving, 'content'), content),
      ).catch(async (error) => {
        throw await explainDiskFull(error, 'a file of the farm');
      });
      await pruneFetched(keep, digest);
      return path;
    },
    { signal },
  );
}

async function isThere(digest: string): Promise<boolean> {
  const seal = await takeFolder(fetched(digest), undefined);
  return seal?.files.content?.sha256 === digest;
}

async function askFor(
  client: Redis,
  run: string,
  digest: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const key = keys.blob(digest);
  const end = performance.now() + patience;
  const look = async (glances: number) => {
    const bytes = await client.strlen(key);
    if (bytes > mostPacked) throw new PtdiffError('host', `The farm's file ${digest} has no end.`);
    if (bytes > 0) return client.getBuffer(key);
    if (glances % glancesToAsk === 0) {
      await client.sadd(keys.wanted(run), digest);
      await client.pexpire(keys.wanted(run), blobLife);
    }
    return null;
  };
  for (let glances = 0; performance.now() < end; glances++) {
    const packed = await persistently(() => look(glances), { signal });
    if (packed !== null) return checked(packed, digest);
    await sleep(glance, undefined, { signal });
  }
  throw new PtdiffError('host', `Nobody brought the file ${digest} within ${patience / 1000} s.`);
}

async function checked(packed: Buffer, digest: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await decompress(packed, { maxOutputLength: mostBytes.image });
  } catch (error) {
    throw new PtdiffError(
      'host',
      `The farm's file ${digest} cannot be unpacked: ${messageOf(error)}.`,
    );
  }
  if (sha256(content) === digest) return content;
  throw new PtdiffError('host', `The farm's file ${digest} is another one than its hash says.`);
}

/**
 * Removes what was used least recently until the rest fits.
 * @param keep bytes
 * @param used what stays in any case
 */
export async function pruneFetched(keep: number, used: string): Promise<void> {
  const folder = cachePath('farm');
  await mkdir(folder, { recursive: true });
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const entries = await Promise.all(
    names.map(async (name) => ({
      name,
      bytes: await stat(join(folder, name, 'content')).then(
        ({ size }) => size,
        () => 0,
      ),
      at: await stat(sealPath(join(folder, name))).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, bytes } of entries.sort((a, b) => a.at - b.at)) {
    if (total <= keep) return;
    if (name === used) continue;
    await rm(sealPath(join(folder, name)), { force: true });
    await rm(join(folder, name), { recursive: true, force: true });
    total -= bytes;
  }
}
