// SPDX-License-Identifier: GPL-2.0-only
import { basename, join } from 'node:path';
import { obtain } from '../host/lock.ts';
import { publishFolder, takeFolder } from '../host/sealed-folder.ts';
import { timed } from '../host/timed.ts';
import type { FetchOptions } from '../images/debian/apt.ts';
import { present } from '../src/present.ts';

/** A file that was built for guests, in the cache. */
interface BuiltFile {
  path: string;
  sha256: string;
}

/**
 * The only file of a cache folder, unchanged since it was stored; otherwise it is built (again).
 * @param directory its name changes with everything that determines the file's bytes
 * @param make writes the file to the path that it receives
 */
export async function keepBuilt(
  directory: string,
  name: string,
  options: FetchOptions,
  make: (output: string) => Promise<void>,
): Promise<BuiltFile> {
  const what = basename(directory);
  const seal = await obtain(
    `guest-${what}`,
    {
      find: () => takeFolder(directory, options.progress),
      make: () =>
        publishFolder(directory, (arriving) =>
          timed('compiling', () => make(join(arriving, name))),
        ),
    },
    { ...options, waiting: `waiting for another ptdiff that is building ${what}` },
  );
  return {
    path: join(directory, name),
    sha256: present(seal.files[name], `hash of ${name}`).sha256,
  };
}
