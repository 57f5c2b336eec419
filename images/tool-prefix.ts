import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AptArchive, FetchOptions } from './apt.ts';
import { cachePath, exists, publishDirectory, readJson, sha256, writeJson } from './cache.ts';
import { explainDiskFull } from './disk-space.ts';
import type { Downloadable } from './download.ts';
import { obtain } from './lock.ts';
import { unpackClosure } from './package-closure.ts';
import { hostArchitecture } from './tool-archive.ts';

/** Programs with all their libraries, unpacked in the cache. */
export interface ToolPrefix {
  /** The directory that the packages believe to be the root. */
  tree: string;
  /** What it consists of; with it the same tree can be had again. */
  packages: { name: string; version: string; sha256: string }[];
  notes: string[];
}

/** What to fetch for a prefix, and what the user should know of it. */
export interface PrefixPlan {
  parts: { archive: AptArchive; packages: Downloadable[] }[];
  notes: string[];
}

interface PrefixRecord {
  directory: string;
  packages: ToolPrefix['packages'];
  notes: string[];
}

/**
 * The prefix of that name: the cached one, whatever the archive has today, or a new one. Tools are part of the
 * experiment, so they change only when the cache is deleted or another name (a version) is asked for.
 */
export async function toolPrefix(
  name: string,
  plan: () => Promise<PrefixPlan>,
  options: FetchOptions,
): Promise<ToolPrefix> {
  const key = `${name}-${hostArchitecture()}`;
  const recordFile = cachePath('tools', `${key}.json`);
  const find = () => cachedPrefix(recordFile);
  const make = async () => {
    const { parts, notes } = await plan();
    const packages = parts
      .flatMap((part) => part.packages)
      .map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    const directory = `${key}-${sha256(JSON.stringify(packages)).slice(0, 16)}`;
    await publishDirectory(cachePath('tools', directory), async (tree) => {
      for (const { archive, packages } of parts) {
        await unpackClosure(archive, packages, tree, options);
      }
      await writeFile(join(tree, 'packages.json'), `${JSON.stringify(packages, null, 1)}\n`);
    });
    await writeJson(recordFile, { directory, packages, notes } satisfies PrefixRecord);
    return { tree: cachePath('tools', directory), packages, notes };
  };
  try {
    const waiting = `waiting for another ptdiff that fetches ${name}`;
    return await obtain(`tool-${key}`, { find, make }, { ...options, waiting });
  } catch (error) {
    throw await explainDiskFull(error, name);
  }
}

async function cachedPrefix(recordFile: string): Promise<ToolPrefix | undefined> {
  const record = await readJson<PrefixRecord>(recordFile);
  if (record === undefined || !(await exists(cachePath('tools', record.directory, 'packages.json')))) {
    return undefined;
  }
  return { tree: cachePath('tools', record.directory), packages: record.packages, notes: record.notes };
}

const loaders = {
  amd64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
};

/**
 * The command that starts a program of a prefix on any host of the same architecture: through the prefix's own loader,
 * with its own libraries, ignoring the host's.
 * @param program path inside the prefix, e.g. `usr/bin/qemu-system-aarch64`
 */
export function prefixCommand(tree: string, program: string): string[] {
  const { triplet, loader } = loaders[hostArchitecture()];
  const libraries = join(tree, 'usr/lib', triplet);
  const path = [libraries, join(libraries, 'pulseaudio')].join(':');
  return [join(libraries, loader), '--inhibit-cache', '--library-path', path, join(tree, program)];
}
