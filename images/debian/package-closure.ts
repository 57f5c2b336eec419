// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { requireSpace } from '../../host/disk-space.ts';
import { briefTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import { first } from '../../src/present.ts';
import type { AptArchive, FetchOptions } from './apt.ts';
import { type Downloadable, downloadPackages } from './download.ts';
import { unpackPackage } from './unpack.ts';

/**
 * Packages with all their dependencies, including the C library, so that they run on a host that
 * has none of them.
 * @param packages names, or `NAME=VERSION`
 * @param suite preferred for packages that several suites have
 */
export function packageClosure(
  archive: AptArchive,
  packages: string[],
  suite: string,
): Promise<Downloadable[]> {
  // For the private apt nothing is installed, so its plan to install is the closure.
  return aptPlan(archive, ['install', '--no-install-recommends'], packages, suite);
}

/** Single packages of an archive, without their dependencies. */
export function packageFiles(
  archive: AptArchive,
  packages: string[],
  suite: string,
): Promise<Downloadable[]> {
  return aptPlan(archive, ['download'], packages, suite);
}

async function aptPlan(
  archive: AptArchive,
  verb: string[],
  packages: string[],
  suite: string,
): Promise<Downloadable[]> {
  const args = [...verb, '--print-uris', '-qq', '-t', suite, ...packages];
  const { exitCode, stdout, stderr } = await execa('apt-get', args, {
    ...briefTool,
    env: archive.env,
    reject: false,
  });
  const files = parseUris(stdout ?? '');
  if (exitCode !== 0 || files.length < packages.length) {
    const why = /^E: (.*)$/m.exec(stderr ?? '')?.[1] ?? 'apt knows only some of them';
    throw new PtdiffError(
      'host',
      `Debian's archive cannot provide ${packages.join(' ')} from ${suite}: ${why}`,
    );
  }
  return files;
}

/**
 * Parses the output of `apt-get --print-uris`: 'URL' FILE BYTES SHA256:DIGEST, with the version in
 * the file's name.
 */
function parseUris(text: string): Downloadable[] {
  const lines = text.matchAll(/^'([^']+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$/gm);
  return [...lines].map(([, url = '', file = '', bytes, sha256 = '']) => {
    const [name = '', version = ''] = basename(decodeURIComponent(file), '.deb').split('_');
    return { name, version: decodeURIComponent(version), url, bytes: Number(bytes), sha256 };
  });
}

/**
 * Bytes on disk per byte of download: QEMU's 36 MiB become 172, not counting the packages
 * themselves.
 */
const unpackedFactor = 6;

/**
 * Downloads packages and unpacks all of them into one tree, deleting each .deb once it is unpacked.
 */
export async function unpackClosure(
  archive: AptArchive,
  packages: Downloadable[],
  tree: string,
  options: FetchOptions,
): Promise<void> {
  const total = packages.reduce((sum, { bytes }) => sum + bytes, 0);
  await requireSpace(
    total * unpackedFactor,
    `${first(packages).name} and ${packages.length - 1} more packages`,
  );
  // Debian's layout since bookworm; older packages still use /lib and /bin.
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    await mkdir(join(tree, 'usr', name), { recursive: true });
    await symlink(`usr/${name}`, join(tree, name)).catch(ignoreExisting);
  }
  const downloads = join(tree, 'downloads');
  await mkdir(downloads);
  for (const deb of await downloadPackages(archive, packages, downloads, options)) {
    await unpackPackage(deb, tree);
    await rm(deb);
  }
  await rm(downloads, { recursive: true });
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') {
    throw error;
  }
}
