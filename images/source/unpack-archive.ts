// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exists } from '../../host/cache.ts';
import { diskFull } from '../../host/disk-space.ts';
import { PtdiffError } from '../../src/errors.ts';
import { runSupervised } from './supervised.ts';

/**
 * Unpacks a kernel source archive, whose contents may be inside a single folder.
 * @param target the folder that becomes the source; it must not exist yet
 * @param bin directory of the programs that tar needs
 * @throws `image` when tar cannot read all of it; `host` when the disk is full; the signal's reason
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
 * The first message of tar or of the program that unpacks for it: `xz: (stdin): Unexpected end of
 * input`.
 */
function complaint(stderr: string): string {
  const [line = ''] = stderr.trim().split('\n');
  // Programs print the name under which they were started; those that tar starts print their own
  // path.
  const said = line
    .replace(/^tar: /, '')
    .replace(/^\/\S*\/(?=[^/\s]+: )/, '')
    .replace(/\.$/, '');
  const cut = /unexpected (end of (input|file)|EOF)|corrupt/i.test(said);
  return cut ? `it is damaged, or only the beginning of an archive (${said})` : said;
}
