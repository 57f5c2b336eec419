// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cachePath, requireUsableCache, sha256, sha256File } from '../../host/cache.ts';
import { explainDiskFull } from '../../host/disk-space.ts';
import { obtain } from '../../host/lock.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import {
  digestSchema,
  inspectFolder,
  publishFolder,
  type Seal,
  takeFolder,
} from '../../host/sealed-folder.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import type { AptArchive, FetchOptions } from '../debian/apt.ts';
import type { Downloadable } from '../debian/download.ts';
import { unpackClosure } from '../debian/package-closure.ts';
import { hostArchitecture } from './tool-archive.ts';

/** Programs with all their libraries, unpacked in the cache. */
export interface ToolPrefix {
  /** The directory that the packages use as the root. */
  tree: string;
  /** Its packages; they allow the same tree to be made again. */
  packages: { name: string; version: string; sha256: string }[];
  notes: string[];
  /** SHA-256 of one of its files, by the path inside the prefix. */
  digestOf(file: string): Promise<string>;
}

/** What to fetch for a prefix, and what the user should know about it. */
export interface PrefixPlan {
  parts: { archive: AptArchive; packages: Downloadable[] }[];
  notes: string[];
}

const recordSchema = z.strictObject({
  directory: z.string().regex(/^[\w.+-]+$/),
  packages: z.array(
    z.strictObject({ name: z.string(), version: z.string(), sha256: digestSchema }),
  ),
  notes: z.array(z.string()),
});
type PrefixRecord = z.infer<typeof recordSchema>;

/**
 * The prefix with a name: the cached one, whatever the archive has today, or a new one. Tools are
 * part of the experiment, so they change only when the cache is deleted or another name (a version)
 * is requested.
 */
export async function toolPrefix(
  name: string,
  plan: () => Promise<PrefixPlan>,
  options: FetchOptions,
): Promise<ToolPrefix> {
  requireUsableCache();
  const key = `${name}-${hostArchitecture()}`;
  const recordFile = cachePath('tools', `${key}.json`);
  const { progress } = options;
  const find = async () => {
    const record = await readRecord(recordFile, recordSchema, progress);
    const seal = record && (await takeFolder(cachePath('tools', record.directory), progress));
    return record && seal && prefixOf(record, seal);
  };
  const make = async () => {
    const before = await readRecord(recordFile, recordSchema);
    const made = fetchPrefix(key, plan, options).catch(async (error) =>
      useAsItLies(before, name, error, options),
    );
    const { record, prefix } = await made;
    if (before !== undefined && before.directory !== record.directory) {
      progress?.(
        `the archive now has other packages of ${name} than the cache had: results may differ`,
      );
    }
    return prefix;
  };
  try {
    const waiting = `waiting for another ptdiff that is fetching ${name}`;
    return await obtain(`tool-${key}`, { find, make }, { ...options, waiting });
  } catch (error) {
    throw await explainDiskFull(error, name);
  }
}

interface FetchedPrefix {
  record: PrefixRecord;
  prefix: ToolPrefix;
}

async function fetchPrefix(
  key: string,
  plan: () => Promise<PrefixPlan>,
  options: FetchOptions,
): Promise<FetchedPrefix> {
  const { parts, notes } = await plan();
  const packages = parts
    .flatMap((part) => part.packages)
    .map(({ name, version, sha256: digest }) => ({ name, version, sha256: digest }));
  const directory = `${key}-${sha256(JSON.stringify(packages)).slice(0, 16)}`;
  const seal = await publishFolder(cachePath('tools', directory), async (tree) => {
    for (const part of parts) await unpackClosure(part.archive, part.packages, tree, options);
    await writeFile(join(tree, 'packages.json'), `${JSON.stringify(packages, null, 1)}\n`);
  });
  const record: PrefixRecord = { directory, packages, notes };
  await writeRecord(cachePath('tools', `${key}.json`), record);
  return { record, prefix: prefixOf(record, seal) };
}

/**
 * An older ptdiff kept no hashes of unpacked files: such a prefix is fetched again. If that is not
 * possible it is still the best one available: it is used without being trusted later, and the user
 * is told.
 * @throws `error` if there is no such prefix
 */
async function useAsItLies(
  record: PrefixRecord | undefined,
  name: string,
  error: unknown,
  { progress }: FetchOptions,
): Promise<FetchedPrefix> {
  const unsealed =
    record && (await inspectFolder(cachePath('tools', record.directory))).kind === 'unsealed';
  if (!unsealed || !(error instanceof PtdiffError) || error.fault !== 'host') throw error;
  const note = `The cache's ${name} is from an older ptdiff, which kept no hashes of its files, and cannot be fetched again now (${messageOf(error)}): it is used unchecked.`;
  progress?.(note);
  return { record, prefix: prefixOf({ ...record, notes: [...record.notes, note] }) };
}

function prefixOf({ directory, packages, notes }: PrefixRecord, seal?: Seal): ToolPrefix {
  const tree = cachePath('tools', directory);
  const digestOf = async (file: string) =>
    seal?.files[file]?.sha256 ?? sha256File(join(tree, file));
  return { tree, packages, notes, digestOf };
}

const loaders = {
  amd64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/**
 * A command that starts a program of a prefix on any host of the same architecture: through the
 * prefix's own loader, with its own libraries, ignoring the host's.
 * @param program path inside the prefix, e.g. `usr/bin/qemu-system-aarch64`
 */
export function prefixCommand(tree: string, program: string): [file: string, ...args: string[]] {
  const { triplet, loader } = loaders[hostArchitecture()];
  const libraries = join(tree, 'usr/lib', triplet);
  const path = [libraries, join(libraries, 'pulseaudio')].join(':');
  return [join(libraries, loader), '--inhibit-cache', '--library-path', path, join(tree, program)];
}
