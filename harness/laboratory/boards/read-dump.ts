// SPDX-License-Identifier: GPL-2.0-only
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { buildCollect } from '../../../guest/build-collect.ts';
import { requireRegular } from '../../../host/read-file.ts';
import type { FetchOptions } from '../../../images/debian/apt.ts';
import { PtdiffError } from '../../../src/errors.ts';

/** First bytes of ELF files, kdump-compressed files, and flattened ones (makedumpfile.h). */
const signatures = ['\x7fELF', 'KDUMP   ', 'makedumpfile\0'];

/**
 * Whether a file is a dump for readDump(), by its first bytes; false also where it cannot be read.
 */
export async function isDump(path: string): Promise<boolean> {
  try {
    await requireRegular(path);
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { buffer, bytesRead } = await file
      .read(Buffer.alloc(16), 0, 16, 0)
      .finally(() => file.close());
    const start = buffer.toString('latin1', 0, bytesRead);
    return signatures.some((signature) => start.startsWith(signature));
  } catch {
    return false;
  }
}

/** More than collect ever says. */
const mostWords = 1 << 20;

/**
 * Makes an archive, as guest/collect leaves it on a live machine, from a dump of an arm64 kernel: an
 * ELF core or a kdump-compressed file. A dump of a terabyte without VMCOREINFO in its headers is
 * read to the end, so there is no limit of time.
 *
 * @param dump path of the dump
 * @param directory existing folder for the archive
 * @returns path of the archive
 * @throws PtdiffError(usage) in collect's own words for what is no such dump or a damaged one;
 * (host) when the compiler for collect is not cached and cannot be fetched; (harness) when collect
 * does not compile or crashes
 */
export async function readDump(
  dump: string,
  directory: string,
  options: FetchOptions = {},
): Promise<string> {
  const { path: program } = await buildCollect({ ...options, target: 'host' });
  const archive = join(directory, 'board.tar.gz');
  const { exitCode, stderr, message } = await execa(
    program,
    ['--core', resolve(dump), '--out', archive],
    {
      stdin: 'ignore',
      stdout: 'ignore',
      maxBuffer: mostWords,
      reject: false,
      ...(options.signal && { cancelSignal: options.signal }),
    },
  );
  if (exitCode === 0) return archive;
  options.signal?.throwIfAborted();
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  if (exitCode === 1) throw new PtdiffError('usage', last.replace(/^collect: /, ''));
  throw new PtdiffError('harness', `collect did not read the dump ${dump}: ${message}`);
}
