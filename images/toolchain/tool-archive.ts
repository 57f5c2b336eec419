// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import {
  type AptArchive,
  type DebianArchitecture,
  ensureLists,
  type FetchOptions,
  openArchive,
} from '../debian/apt.ts';

/** Debian's name for this host's architecture, whose packages run here. */
export function hostArchitecture(): DebianArchitecture {
  const names: Partial<Record<NodeJS.Architecture, DebianArchitecture>> = {
    x64: 'amd64',
    arm64: 'arm64',
  };
  const name = names[process.arch];
  if (name === undefined) {
    throw new PtdiffError(
      'host',
      `ptdiff runs on x86-64 and arm64 hosts; this one is ${process.arch}.`,
    );
  }
  return name;
}

/**
 * A private apt for programs that run on this host, with lists; `trixie`, unless an older emulator
 * needs `bookworm`.
 */
export async function openToolArchive(
  release: 'trixie' | 'bookworm',
  options: FetchOptions,
): Promise<AptArchive> {
  const archive = await openArchive(
    'tools',
    [release, `${release}-backports`],
    hostArchitecture(),
    options,
  );
  await ensureLists(archive, options);
  return archive;
}
