// SPDX-License-Identifier: GPL-2.0-only
import { lstatSync } from 'node:fs';
import { mkdir, readdir, readlink, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { first } from '../src/present.ts';
import { exists, type Progress, sha256, sha256File, withScratch } from './cache.ts';
import { useCache } from './cache-in-use.ts';
import { makeFolder } from './make-folder.ts';
import { placeOf, readRecord, sayOnce, writeRecord } from './records.ts';

/** SHA-256 as lower-case hex digits. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * The contents of a cache folder, written beside it when it is stored. A file is not hashed again
 * while its stamp (size, mtime, ctime, inode) is the same as when it was last hashed. The kernel
 * sets ctime, so no write goes unnoticed, not even one that restores mtime. If a disk loses bits,
 * the stamp does not change: after a week, and in `cache verify`, everything is hashed whatever its
 * stamp.
 */
const sealSchema = z.strictObject({
  files: z.record(
    z.string(),
    z.strictObject({ sha256: digestSchema, stamp: z.string().optional() }),
  ),
  /** Targets of symbolic links. */
  links: z.record(z.string(), z.string()),
  /** When everything was last hashed, in milliseconds since 1970. */
  hashed: z.number(),
});
export type Seal = z.infer<typeof sealSchema>;

/** How long stamps are trusted, in milliseconds. */
const stampAge = 7 * 86_400_000;
/**
 * A file may be changed twice within one tick of the file system's clock, so the stamp of a file
 * that has just changed proves nothing. Milliseconds.
 */
const restless = 2000;

/** How a folder compares with what was stored. */
export type FolderState =
  | { kind: 'whole'; seal: Seal }
  | { kind: 'absent' }
  /** It exists, but there is no record of what it should contain. */
  | { kind: 'unsealed' }
  /** Names of the files that have changed, with what is wrong. */
  | { kind: 'damaged'; seal: Seal; files: { name: string; why: string }[] };

/** Path of the record of a folder's contents. */
export function sealPath(folder: string): string {
  return `${folder}.seal.json`;
}

/**
 * Identifies the contents of a file without reading it; undefined for a file that does not exist.
 */
function stampOf(path: string): { stamp: string; changed: number } | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return undefined;
  const { size, mtimeNs, ctimeNs, ino, ctimeMs } = found;
  return { stamp: [size, mtimeNs, ctimeNs, ino].join(' '), changed: Number(ctimeMs) };
}

/** Hashes a file; includes its stamp if that is reliable. */
async function hashFile(path: string): Promise<{ sha256: string; stamp?: string }> {
  const before = stampOf(path);
  const digest = await sha256File(path);
  const settled = before !== undefined && before.changed < Date.now() - restless;
  return settled && stampOf(path)?.stamp === before.stamp
    ? { sha256: digest, stamp: before.stamp }
    : { sha256: digest };
}

/** The present contents of a folder. */
async function sealOf(folder: string): Promise<Seal> {
  const seal: Seal = { files: {}, links: {}, hashed: Date.now() };
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isFile()) seal.files[name] = await hashFile(path);
    else if (entry.isSymbolicLink()) seal.links[name] = await readlink(path);
  }
  return seal;
}

/**
 * Compares a folder with what was stored, and records the stamps of the files that were hashed.
 * @param everything hash all files, whatever their stamps
 */
export async function inspectFolder(
  folder: string,
  everything = false,
  progress?: Progress,
): Promise<FolderState> {
  if (!(await exists(folder))) return { kind: 'absent' };
  const seal = await readRecord(sealPath(folder), sealSchema, progress);
  if (seal === undefined) return { kind: 'unsealed' };
  const age = Date.now() - seal.hashed;
  const all = everything || age > stampAge || age < 0;
  const files: { name: string; why: string }[] = [];
  const renewed: Seal = {
    ...seal,
    files: { ...seal.files },
    hashed: all ? Date.now() : seal.hashed,
  };
  let hashed = false;
  for (const [name, { sha256: stored, stamp }] of Object.entries(seal.files)) {
    const path = join(folder, name);
    const now = stampOf(path);
    if (now === undefined) files.push({ name, why: 'missing' });
    else if (all || stamp !== now.stamp) {
      hashed = true;
      const found = await hashFile(path).catch(() => undefined);
      if (found?.sha256 === stored) renewed.files[name] = found;
      else files.push({ name, why: found === undefined ? 'unreadable' : 'damaged' });
    }
  }
  for (const [name, target] of Object.entries(seal.links)) {
    const found = await readlink(join(folder, name)).catch(() => undefined);
    if (found !== target) files.push({ name, why: found === undefined ? 'missing' : 'damaged' });
  }
  if (files.length > 0) return { kind: 'damaged', seal, files };
  // A read-only cache can still be used.
  if (hashed) await writeRecord(sealPath(folder), renewed).catch(() => {});
  return { kind: 'whole', seal: renewed };
}

/**
 * A cache folder for use, if it is what was stored; records that it was used.
 * @returns undefined if it must be made, or made again; in the latter case a line says what is
 * damaged
 */
export async function takeFolder(
  folder: string,
  progress: Progress | undefined,
): Promise<Seal | undefined> {
  await useCache(progress);
  const state = await inspectFolder(folder, false, progress);
  if (state.kind === 'whole') {
    await utimes(sealPath(folder), new Date(), new Date()).catch(() => {});
    return state.seal;
  }
  if (state.kind === 'unsealed' && !(await exists(sealPath(folder)))) {
    sayOnce(
      `${placeOf(folder)} in the cache is from an older ptdiff, which kept no hashes: it is made again`,
      progress,
    );
  }
  if (state.kind === 'damaged')
    sayOnce(`${describeDamage(folder, state.files)}: it is made again`, progress);
  return undefined;
}

/** In words: `kernels/01ab/Image in the cache is damaged`. */
function describeDamage(folder: string, files: { name: string; why: string }[]): string {
  const { name, why } = first(files);
  const more = files.length > 1 ? `, and so are ${files.length - 1} more files of that folder` : '';
  return `${placeOf(join(folder, name))} in the cache is ${why}${more}`;
}

/**
 * Makes a cache folder appear complete or not at all, in place of one that is not complete.
 * @param build fills an empty folder, which then gets the name
 */
export async function publishFolder(
  folder: string,
  build: (arriving: string) => Promise<void>,
): Promise<Seal> {
  await useCache();
  makeFolder(dirname(folder));
  return withScratch(async (scratch) => {
    const content = join(scratch, 'content');
    await mkdir(content);
    await build(content);
    const seal = await sealOf(content);
    // The existing folder is no longer trusted, whatever happens from here on.
    await rm(sealPath(folder), { force: true });
    await replaceFolder(content, folder, scratch);
    await writeRecord(sealPath(folder), seal);
    return seal;
  });
}

/** Seals a folder of an older ptdiff as it is. */
export async function sealFolder(folder: string): Promise<Seal> {
  const seal = await sealOf(folder);
  await writeRecord(sealPath(folder), seal);
  return seal;
}

/** Adds a file to a complete folder. */
export async function addFile(
  folder: string,
  seal: Seal,
  name: string,
  content: Uint8Array,
): Promise<Seal> {
  await withScratch(async (scratch) => {
    await writeFile(join(scratch, name), content);
    await rename(join(scratch, name), join(folder, name));
  });
  const added = { ...seal, files: { ...seal.files, [name]: { sha256: sha256(content) } } };
  await writeRecord(sealPath(folder), added);
  return added;
}

/** A folder cannot be renamed over one that has files; processes that have those open keep them. */
async function replaceFolder(content: string, folder: string, scratch: string): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      await rename(content, folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOTDIR') || i > 8) throw error;
      await rename(folder, join(scratch, `old${i}`)).catch((other: NodeJS.ErrnoException) => {
        if (other.code !== 'ENOENT') throw other;
      });
    }
  }
}
