// SPDX-License-Identifier: GPL-2.0-only

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { extract, type ReadEntry } from 'tar';
import { sha256File, withScratch } from '../../host/cache.ts';
import { explainDiskFull } from '../../host/disk-space.ts';
import { requireRegular } from '../../host/read-file.ts';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import { type ArchivedCase, archivedCaseSchema } from '../../results/repro-schema.ts';
import { complaint } from '../../results/run-folder.ts';
import { loadRange } from '../../results/stored-range.ts';
import { PtdiffError } from '../../src/errors.ts';
import { archiveFiles } from './pack-case.ts';
import { packedFiles } from './packed-repro.ts';

/** A packed case that was unpacked and whose files were all checked. */
export interface OpenedCase extends ArchivedCase {
  /** Folder of its files until `use` of withArchivedCase() returns. */
  folder: string;
}

/** None of ptdiff's archives is nearly this large, and no other archive may fill the disk. */
const mostBytes = 4 * 2 ** 30;

/** Accepts only files and folders below the target, up to a total size. */
function guard(): (path: string, entry: unknown) => boolean {
  let bytes = 0;
  return (path, entry) => {
    const { type, size = 0 } = entry as ReadEntry;
    if (type !== 'File' && type !== 'OldFile' && type !== 'Directory')
      throw new Error(`'${path}' in it is not a file`);
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new Error(`'${path}' in it leads out of it`);
    bytes += size;
    if (bytes > mostBytes) throw new Error('it unpacks to too much data');
    return true;
  };
}

/** tar's writer is not a Node stream: it is fed by hand, and its first error ends it. */
async function unpack(archive: string, scratch: string): Promise<void> {
  const target = extract({ cwd: scratch, strict: true, preserveOwner: false, filter: guard() });
  const closed = new Promise<void>((resolve, reject) =>
    target.on('close', resolve).on('error', reject),
  );
  // It may fail before anything awaits it.
  closed.catch(() => {});
  await requireRegular(archive);
  await pipeline(
    createReadStream(archive),
    createZstdDecompress(),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (!target.write(chunk)) await Promise.race([once(target, 'drain'), closed]);
      }
      target.end();
      await closed;
    },
  );
}

/** The single folder in an archive. */
async function onlyFolder(scratch: string): Promise<string> {
  const names = await readdir(scratch);
  const [only, another] = names;
  if (only === undefined || another !== undefined)
    throw new Error(`it has ${names.length} folders instead of one`);
  return join(scratch, only);
}

async function readManifest(folder: string): Promise<ArchivedCase> {
  const path = join(folder, archiveFiles.manifest);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new Error(`it has no ${archiveFiles.manifest}`);
  });
  return archivedCaseSchema.parse(JSON.parse(text));
}

/** Checks that the files are exactly those in the manifest, and unchanged. */
async function verify(folder: string, { files }: ArchivedCase): Promise<void> {
  const found = await readdir(folder, { recursive: true });
  for (const name of found) {
    const isFile = (await lstat(join(folder, name))).isFile();
    if (isFile && name !== archiveFiles.manifest && files[name] === undefined)
      throw new Error(`'${name}' in it does not belong to it`);
  }
  for (const [name, sha256] of Object.entries(files)) {
    const found = await sha256File(join(folder, name)).catch(() => 'none');
    if (found !== sha256) throw new Error(`'${name}' in it is missing or was changed`);
  }
}

/**
 * The initial RAM disk of a packed case.
 * @throws PtdiffError(usage) when there is none
 */
export function initramfsOf({ folder, files }: OpenedCase): { path: string; sha256: string } {
  const sha256 = files[packedFiles.initramfs];
  if (sha256 === undefined) {
    throw new PtdiffError(
      'usage',
      `The packed case contains no ${packedFiles.initramfs}; pack the case again.`,
    );
  }
  return { path: join(folder, packedFiles.initramfs), sha256 };
}

/**
 * Device tree and firmware of a packed case.
 * @throws PtdiffError(usage) when only one of the firmware and its addresses is there
 */
export async function readBlobs({ folder, files, monitor }: OpenedCase): Promise<MachineBlobs> {
  const read = async (name: string) =>
    files[name] === undefined ? undefined : readFile(join(folder, name));
  const [deviceTree, flash] = [await read(packedFiles.deviceTree), await read(packedFiles.flash)];
  if ((flash === undefined) !== (monitor === undefined)) {
    throw new PtdiffError(
      'usage',
      `${archiveFiles.manifest} of the packed case and its ${packedFiles.flash} do not fit together.`,
    );
  }
  const deviceData = await read(packedFiles.deviceData);
  return {
    ...(deviceTree && { deviceTree }),
    ...(flash && monitor && { monitor: { ...monitor, flash, memory: loadRange(monitor.memory) } }),
    ...(deviceData && { deviceData }),
  };
}

/**
 * Unpacks a packed case, checks it and passes it to `use`; its files are removed afterwards. The
 * check covers the hash of each file, and that there are no other files.
 * @throws PtdiffError(usage) when the file is not a packed case, or is incomplete; (host) when it
 * cannot be read or unpacked
 */
export async function withArchivedCase<T>(
  archive: string,
  use: (opened: OpenedCase) => Promise<T>,
): Promise<T> {
  return withScratch(async (scratch) => {
    let opened: OpenedCase;
    try {
      await unpack(archive, scratch);
      const folder = await onlyFolder(scratch);
      opened = { ...(await readManifest(folder)), folder };
      await verify(folder, opened);
    } catch (error) {
      const told = await explainDiskFull(error, `what ${archive} unpacks to`);
      if (told instanceof PtdiffError) throw told;
      throw new PtdiffError(
        'usage',
        `${archive} is not a complete packed case: ${complaint(error).trim()}.`,
        {
          cause: error,
        },
      );
    }
    return use(opened);
  });
}
