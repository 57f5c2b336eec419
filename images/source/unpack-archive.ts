// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists } from '../../host/cache.ts';
import { diskFull } from '../../host/disk-space.ts';
import { PtdiffError } from '../../src/errors.ts';
import { runSupervised } from './supervised.ts';

/**
 * Unpacks an archive of a kernel's source, which holds one folder with everything, or everything
 * itself.
 * @param target the folder that becomes the source; there must be none yet
 * @param bin directory of the programs that tar needs
 * @throws `image` when tar cannot read it all; `host` when the disk is full; the signal's reason
 */
export async function unpackArchive(
  path: string,
  target: string,
  bin: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scratch = `${target}.unpacking`;
  await mkdir(scratch, { recursive: true });
  const options = [
    '--extract',
    '--file',
    path,
    '--directory',
    scratch,
    '--no-same-owner',
    '--no-same-permissions',
  ];
  const env = { LC_ALL: 'C', PATH: `${bin}:${process.env.PATH}` };
  const { status, stderr } = await runSupervised(['tar', ...options], env, { signal });
  signal?.throwIfAborted();
  if (status !== 0) {
    const why = complaint(stderr) || `tar ended with status ${status}`;
    throw (
      (await diskFull(stderr, basename(path))) ??
      new PtdiffError('image', `Cannot unpack ${path}: ${why}.`)
    );
  }
  const [single, another] = await readdir(scratch);
  const nested =
    another === undefined && single !== undefined && !(await exists(join(scratch, 'Makefile')));
  await rename(nested ? join(scratch, single) : scratch, target);
  await rm(scratch, { recursive: true, force: true });
}

/**
 * What tar or the program that unpacks for it says first: `xz: (stdin): Unexpected end of input`.
 */
function complaint(stderr: string): string {
  const [line = ''] = stderr.trim().split('\n');
  // Programs name themselves as they were started, and those that tar starts by their own path.
  const said = line
    .replace(/^tar: /, '')
    .replace(/^\/\S*\/(?=[^/\s]+: )/, '')
    .replace(/\.$/, '');
  const cut = /unexpected (end of (input|file)|EOF)|corrupt/i.test(said);
  return cut ? `it is damaged, or only the beginning of an archive (${said})` : said;
}
