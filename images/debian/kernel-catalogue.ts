// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { z } from 'zod';
import { readRecord, writeRecord } from '../../host/records.ts';
import { type Flavour, flavours } from '../kernel-spec.ts';
import type { AptArchive } from './apt.ts';
import { ensureLists, type FetchOptions, openArchive } from './apt.ts';
import { type KernelBuild, kernelBuilds, kernelPackageName } from './kernel-builds.ts';
import { packageSchema, packagesMatching } from './package-index.ts';

/** Suites that currently have arm64 kernels; Debian's keyring verifies all of them. */
const kernelSuites = [
  'trixie',
  'trixie-updates',
  'bookworm-backports',
  'trixie-backports',
  'sid',
  'experimental',
];

/** An excerpt of the lists, which take seconds to read. */
const recordSchema = z.strictObject({
  updated: z.number(),
  builds: z.array(
    z.strictObject({
      release: z.string(),
      version: z.string(),
      upstream: z.string(),
      flavour: z.enum(Object.keys(flavours) as [Flavour, ...Flavour[]]),
      suite: z.string(),
      image: packageSchema,
      config: packageSchema.optional(),
      modules: packageSchema.optional(),
    }),
  ),
});

/** Every kernel in the archive's lists, and the private apt that fetches them. */
export interface KernelCatalogue {
  archive: AptArchive;
  builds: KernelBuild[];
  /** When the lists were last fetched, in milliseconds since 1970. */
  updated: number;
  notes: string[];
}

/** The apt of the arm64 suites: kernels, and the target's C library for the toolchain. */
export function openKernelArchive(options: FetchOptions): Promise<AptArchive> {
  return openArchive('kernels', kernelSuites, 'arm64', options);
}

/** @throws `host` when there is neither network nor a cached catalogue */
export async function kernelCatalogue(options: FetchOptions): Promise<KernelCatalogue> {
  const archive = await openKernelArchive(options);
  const { updated, notes } = await ensureLists(archive, options);
  const file = join(archive.directory, 'kernel-builds.json');
  const known = await readRecord(file, recordSchema);
  if (known?.updated === updated) {
    return { archive, builds: known.builds, updated, notes };
  }
  const builds = kernelBuilds(await packagesMatching(archive, kernelPackageName));
  await writeRecord(file, { updated, builds });
  return { archive, builds, updated, notes };
}
