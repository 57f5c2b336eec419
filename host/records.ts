// SPDX-License-Identifier: GPL-2.0-only
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { cacheRoot, type Progress, sha256, withScratch } from './cache.ts';
import { makeFolder } from './make-folder.ts';

/** What has been said of damage, each once: a thing is looked for again once its lock is had. */
const said = new Set<string>();

/** Tells of something of the cache that is not what was stored. */
export function sayOnce(line: string, progress: Progress | undefined): void {
  if (progress === undefined || said.has(line)) return;
  said.add(line);
  progress(line);
}

/** A path of the cache as a person finds it there. */
export function placeOf(path: string): string {
  const root = `${cacheRoot()}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** What a record's own hash is taken of. */
const sealOf = (value: unknown): string => sha256(JSON.stringify(value));

/**
 * A record of the cache: JSON with a hash of itself, so that a digit that changed on the disk is
 * not believed either. One of an older ptdiff has no hash, and counts as far as the schema allows.
 * @param schema strict, so that a hash whose name is damaged is none that is absent
 * @returns undefined where there is none, or none that is whole: what it told is then found out
 * again
 */
export async function readRecord<T>(
  path: string,
  schema: z.ZodType<T>,
  progress?: Progress,
): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const value = parseRecord(text, schema);
  if (value === undefined) {
    sayOnce(
      `${placeOf(path)} of the cache is damaged, or of another ptdiff: it is made again`,
      progress,
    );
  }
  return value;
}

/** The value of a record's text, or undefined where it is damaged. */
export function parseRecord<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { seal, ...value } = parsed as { seal?: unknown };
    if (seal !== undefined && seal !== sealOf(value)) return undefined;
    return schema.safeParse(value).data;
  } catch {
    return undefined;
  }
}

/** Writes a record so that a reader sees the old one or the new one, never half of it. */
export async function writeRecord(path: string, value: object): Promise<void> {
  makeFolder(dirname(path));
  // As it will be read: without what JSON leaves out.
  const plain = JSON.parse(JSON.stringify(value)) as object;
  await withScratch(async (scratch) => {
    const file = join(scratch, 'value.json');
    const handle = await open(file, 'w');
    try {
      await handle.writeFile(`${JSON.stringify({ ...plain, seal: sealOf(plain) }, null, 1)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(file, path);
  });
}
