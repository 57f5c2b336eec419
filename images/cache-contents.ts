// SPDX-License-Identifier: GPL-2.0-only
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { cachePath, exists, sha256File } from '../host/cache.ts';
import { parseRecord, placeOf, writeRecord } from '../host/records.ts';
import { type FolderState, inspectFolder, sealPath } from '../host/sealed-folder.ts';
import { openGitStore } from './source/git-store.ts';

/** Kinds of cache items, with their folders; `*` stands for one level of names. */
const kinds = {
  kernels: ['kernels/*'],
  tools: ['tools/*'],
  guest: ['guest/*'],
  modules: ['modules/*/*'],
  // What a worker of a farm got by its hash.
  farm: ['farm/*'],
  facts: ['facts/*'],
  source: ['source/desks/*', 'source/objects.git'],
  lists: ['apt/*'],
  node: ['node/*'],
  // Node's compiled modules, with a folder for each version of Node.
  compiled: ['compile/*'],
  scratch: ['tmp/*'],
} as const;
type CacheKind = keyof typeof kinds;

/** One item of the cache, which can be replaced. */
export interface CacheItem {
  kind: CacheKind;
  /** Path of the file or folder. */
  path: string;
  bytes: number;
  /** For a kernel its release, where a record has it. */
  about?: string;
  /** When it was last used, as far as that is recorded, in milliseconds since 1970. */
  used: number;
}

/** Folders of records that say where things are. */
const recordFolders = [
  'kernels/packages',
  'tools',
  'facts',
  'source/builds',
  'source/archives',
  'apt/*',
];
const isRecord = (name: string): boolean => name.endsWith('.json') && !name.endsWith('.seal.json');

/** All items, by kind. */
export async function listCache(): Promise<CacheItem[]> {
  const items: CacheItem[] = [];
  const releases = await releasesOfKernels();
  for (const kind of Object.keys(kinds) as CacheKind[]) {
    for (const path of (await Promise.all(kinds[kind].map(matching))).flat()) {
      const folder = (await lstat(path)).isDirectory();
      // Beside the items are the lists of their contents, and records that say where to find them.
      if (
        folder ? path === cachePath('kernels', 'packages') : kind !== 'facts' && kind !== 'scratch'
      )
        continue;
      const about = kind === 'kernels' && releases.get(basename(path));
      items.push({
        kind,
        path,
        bytes: await sizeOf(path),
        used: await lastUse(path),
        ...(about && { about }),
      });
    }
  }
  return items;
}

/** Releases of kernels according to the records, by the hash of the Image. */
async function releasesOfKernels(): Promise<Map<string, string>> {
  const schema = z.looseObject({ sha256: z.string(), release: z.string() });
  const releases = new Map<string, string>();
  for (const folder of ['kernels/packages', 'source/builds']) {
    for (const path of (await matching(`${folder}/*`)).filter(isRecord)) {
      const record = parseRecord(await readFile(path, 'utf8').catch(() => ''), schema);
      if (record !== undefined) releases.set(record.sha256, record.release);
    }
  }
  return releases;
}

/** Paths that match a pattern of names. */
async function matching(pattern: string): Promise<string[]> {
  let paths = [cachePath()];
  for (const part of pattern.split('/')) {
    const found = paths.map(async (path) => {
      const names = part === '*' ? await readdir(path).catch(() => []) : [part];
      return names.map((name) => join(path, name));
    });
    paths = (await Promise.all(found)).flat();
  }
  const there = await Promise.all(paths.map((path) => exists(path)));
  return paths.filter((_, i) => there[i]).sort();
}

async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) bytes += await sizeOf(join(path, name));
  return bytes;
}

/**
 * An item with hashes has its last use recorded at the file with the hashes, a desk in its own
 * record.
 */
async function lastUse(path: string): Promise<number> {
  const marks = [
    sealPath(path),
    join(path, 'desk.json'),
    join(path, 'updated.json'),
    join(path, 'objects/pack'),
    path,
  ];
  for (const mark of marks) {
    const found = await lstat(mark).catch(() => undefined);
    if (found !== undefined) return found.mtimeMs;
  }
  return 0;
}

/** What verifyCache() found. */
interface CacheCheck {
  /** Files and records that were hashed. */
  checked: number;
  /** One line for each. */
  damaged: string[];
  /** Folders of an older ptdiff, which cannot be checked. */
  unknown: string[];
}

/**
 * Hashes everything in the cache that has a recorded hash, whatever its stamp. Nothing is removed:
 * a damaged item loses its record, so that its next user makes it again.
 */
export async function verifyCache(): Promise<CacheCheck> {
  const check: CacheCheck = { checked: 0, damaged: [], unknown: [] };
  for (const { kind, path } of await listCache()) {
    if (kind === 'kernels' || kind === 'tools' || kind === 'guest' || kind === 'modules') {
      await verifyFolder(kind, path, check);
    }
  }
  for (const path of (
    await Promise.all(recordFolders.map((folder) => matching(`${folder}/*`)))
  ).flat()) {
    if (!isRecord(path)) continue;
    check.checked++;
    const text = await readFile(path, 'utf8').catch(() => '');
    if (parseRecord(text, z.looseObject({})) === undefined)
      check.damaged.push(`${placeOf(path)} is damaged`);
  }
  if (await exists(cachePath('source', 'objects.git', 'HEAD'))) {
    const { ok } = await (await openGitStore()).try([
      'fsck',
      '--full',
      '--no-dangling',
      '--no-progress',
    ]);
    check.checked++;
    if (!ok) check.damaged.push(`${placeOf(cachePath('source', 'objects.git'))} is damaged`);
  }
  return check;
}

async function verifyFolder(kind: CacheKind, path: string, check: CacheCheck): Promise<void> {
  const state = await inspectFolder(path, true);
  if (state.kind === 'unsealed') {
    // From an older ptdiff; but the name of a kernel's folder is its hash.
    const digest = kind === 'kernels' && (await sha256File(join(path, 'Image')).catch(() => ''));
    if (digest === false || path.endsWith(digest || '?')) check.unknown.push(placeOf(path));
    else check.damaged.push(`${placeOf(join(path, 'Image'))} is damaged`);
  } else if (state.kind !== 'absent') {
    check.checked += Object.keys(state.seal.files).length + Object.keys(state.seal.links).length;
  }
  if (state.kind === 'damaged') {
    for (const { name, why } of state.files)
      check.damaged.push(`${placeOf(join(path, name))} is ${why}`);
    await forget(path, state);
  }
}

/** If a disk lost a bit, the file's stamp has not changed. */
async function forget(
  folder: string,
  { seal, files }: FolderState & { kind: 'damaged' },
): Promise<void> {
  const forgotten = structuredClone(seal);
  for (const { name } of files) delete forgotten.files[name]?.stamp;
  await writeRecord(sealPath(folder), forgotten);
}

/**
 * Items that have not been used since a time, in milliseconds since 1970; never the Node that runs
 * this.
 */
export async function unusedSince(moment: number): Promise<CacheItem[]> {
  const items = await listCache();
  return items.filter(
    ({ path, used }) => used < moment && !process.execPath.startsWith(`${path}/`),
  );
}

/** Removes items with their records. The caller makes sure that nothing uses them. */
export async function removeItems(items: readonly CacheItem[]): Promise<void> {
  for (const { path } of items) {
    // The list of its contents goes first: an incomplete folder then counts as nothing.
    await rm(sealPath(path), { force: true });
    await rm(path, { recursive: true, force: true });
  }
  await dropLostRecords();
  for (const folder of await matching('modules/*'))
    if ((await readdir(folder)).length === 0) await rm(folder, { recursive: true });
}

/** Removes records of items that no longer exist. */
async function dropLostRecords(): Promise<void> {
  const pointing = z.looseObject({
    sha256: z.string().optional(),
    directory: z.string().optional(),
  });
  for (const folder of ['kernels/packages', 'tools', 'source/builds']) {
    for (const path of (await matching(`${folder}/*`)).filter(isRecord)) {
      const record = parseRecord(await readFile(path, 'utf8').catch(() => ''), pointing);
      const target =
        record?.directory !== undefined
          ? join(dirname(path), record.directory)
          : cachePath('kernels', record?.sha256 ?? '-');
      if (!(await exists(target))) await rm(path, { force: true });
    }
  }
}
