// SPDX-License-Identifier: GPL-2.0-only
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { PtdiffError } from '../src/errors.ts';

/**
 * What ptdiff runs on the host to fetch packages, with the Debian package of each. All are part of
 * a minimal Debian.
 */
const required: Record<string, string> = {
  'apt-get': 'apt',
  'apt-config': 'apt',
  'dpkg-deb': 'dpkg',
  flock: 'util-linux',
  tar: 'tar',
};

/** The path of a command on PATH, or undefined. */
export async function findCommand(
  name: string,
  path = process.env.PATH ?? '',
): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    const candidate = join(directory || '.', name);
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    ) {
      return candidate;
    }
  }
  return undefined;
}

/** Throws one `host` error that names every missing tool, and what to do. */
export async function requireHostTools(path = process.env.PATH ?? ''): Promise<void> {
  const missing: string[] = [];
  for (const [name, debianPackage] of Object.entries(required)) {
    if ((await findCommand(name, path)) === undefined) {
      missing.push(`${name} (package ${debianPackage})`);
    }
  }
  if (missing.length > 0) {
    throw new PtdiffError(
      'host',
      `This host has no ${missing.join(', no ')}, which ptdiff needs to fetch Debian packages: install it, or name local files with --kernel file:PATH and --qemu PATH.`,
    );
  }
}
