// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import { explainDiskFull } from '../../host/disk-space.ts';
import { timed } from '../../host/timed.ts';
import { longTool } from '../../host/tool-limits.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';

/**
 * Unpacks a .deb, or only the members that match tar's wildcards (`*` matches slashes too). A
 * package's own scripts are never read. A wildcard without a match is not an error: the caller
 * checks the result.
 * @param once takes only the first member that matches each wildcard. Nothing after the last one is
 * decompressed, which is most of a package that begins with what is wanted.
 */
export async function unpackPackage(
  deb: string,
  directory: string,
  members: string[] = [],
  { once = false }: { once?: boolean } = {},
): Promise<void> {
  // A tar that has all that it wants closes the pipe, of which dpkg-deb dies.
  const source = { ...longTool, buffer: false, ...(once && { reject: false as const }) };
  const unpack = execa('dpkg-deb', ['--fsys-tarfile', deb], source).pipe(
    'tar',
    [
      '-x',
      '-C',
      directory,
      '--keep-directory-symlink',
      '--no-same-owner',
      '--no-same-permissions',
      '--wildcards',
      ...(once ? ['--occurrence=1'] : []),
      '--',
      ...members,
    ],
    { env: { LC_ALL: 'C' } },
  );
  try {
    await timed('unpacking', () => unpack);
  } catch (error) {
    const text = messageOf(error);
    const complaints = text.split('\n').filter((line) => line.startsWith('tar: '));
    if (
      complaints.length > 0 &&
      complaints.every((line) => /Not found in archive|Exiting with failure/.test(line))
    ) {
      return;
    }
    const explained = await explainDiskFull(error, `the content of ${deb}`);
    throw explained !== error
      ? explained
      : new PtdiffError('host', `Cannot unpack ${deb}: ${text.split('\n').at(-1)}`, {
          cause: error,
        });
  }
}
