// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { ensureLists, type FetchOptions } from '../debian/apt.ts';
import { openKernelArchive } from '../debian/kernel-catalogue.ts';
import { packageFiles } from '../debian/package-closure.ts';
import { type ToolPrefix, toolPrefix } from './tool-prefix.ts';

/** zlib for static arm64 programs. */
export interface Zlib {
  /** Its packages, for the records of a build. */
  packages: ToolPrefix['packages'];
  includeDirs: string[];
  /** The archive to link with. */
  library: string;
}

/**
 * Debian's own zlib. Its compression calls nothing of a C library but what musl has too, so that it
 * links with crossToolchain().
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export async function arm64Zlib(options: FetchOptions = {}): Promise<Zlib> {
  const plan = async () => {
    const archive = await openKernelArchive(options);
    await ensureLists(archive, options);
    const packages = await packageFiles(archive, ['zlib1g-dev'], 'trixie');
    return { parts: [{ archive, packages }], notes: [] };
  };
  const { tree, packages } = await toolPrefix('zlib-arm64', plan, options);
  const triplet = 'aarch64-linux-gnu';
  return {
    packages,
    includeDirs: ['usr/include', `usr/include/${triplet}`].map((each) => join(tree, each)),
    library: join(tree, 'usr/lib', triplet, 'libz.a'),
  };
}
