// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { ensureLists, type FetchOptions } from '../debian/apt.ts';
import { openKernelArchive } from '../debian/kernel-catalogue.ts';
import { packageFiles } from '../debian/package-closure.ts';
import { hostArchitecture, openToolArchive } from './tool-archive.ts';
import { type ToolPrefix, toolPrefix } from './tool-prefix.ts';

/** zlib and zstd for static programs. */
export interface CompressionLibraries {
  /** Their packages, for the records of a build. */
  packages: ToolPrefix['packages'];
  includeDirs: string[];
  /** The archives to link with. */
  libraries: string[];
}

/**
 * Debian's own zlib and zstd, for arm64 guests or for this host. What they call of a C library musl
 * has too, so that they link with crossToolchain().
 * @throws PtdiffError(host) when they are not in the cache and cannot be fetched
 */
export async function compressionLibraries(
  target: 'guest' | 'host',
  options: FetchOptions = {},
): Promise<CompressionLibraries> {
  const plan = async () => {
    const archive =
      target === 'guest'
        ? await openKernelArchive(options)
        : await openToolArchive('trixie', options);
    await ensureLists(archive, options);
    const packages = await packageFiles(archive, ['zlib1g-dev', 'libzstd-dev'], 'trixie');
    return { parts: [{ archive, packages }], notes: [] };
  };
  const { tree, packages } = await toolPrefix(`compression-${target}`, plan, options);
  const isArm64 = target === 'guest' || hostArchitecture() === 'arm64';
  const triplet = isArm64 ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return {
    packages,
    includeDirs: ['usr/include', `usr/include/${triplet}`].map((each) => join(tree, each)),
    libraries: ['libz.a', 'libzstd.a'].map((each) => join(tree, 'usr/lib', triplet, each)),
  };
}
