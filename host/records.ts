// SPDX-License-Identifier: GPL-2.0-only
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import { cacheRoot, type Progress, sha256, withScratch } from './cache.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Damage that has been reported, so that each is reported once: an item is looked up again once its
 * lock is held.
 */
const said = new Set<string>();

/** Reports that something in the cache is not what was stored. */
export function sayOnce(line: string, progress: Progress | undefined): void {
  if (progress === undefined || said.has(line)) return;
  said.add(line);
  progress(line);
}

/** A path in the cache as the user finds it there. */
export function placeOf(path: string): string {
  const root = `${cacheRoot()}/`;
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** The hash of a record covers this value. */
const sealOf = (value: unknown): string => sha256(JSON.stringify(value));

/**
 * A record of the cache: JSON with its own hash, so that a digit that changed on disk is not
 * trusted either. A record of an older ptdiff has no hash, and is accepted if the schema allows it.
 * @param schema must be strict, so that a hash with a damaged name is not taken for an absent one
 * @returns undefined if there is none, or none that is intact: its contents are then determined
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
      `${placeOf(path)} in the cache is damaged, or from another ptdiff: it is made again`,
      progress,
    );
  }
  return value;
}

/** The value in a record's text, or undefined if it is damaged. */
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

/** Writes a record so that a reader sees either the old one or the new one, never half of it. */
export async function writeRecord(path: string, value: object): Promise<void> {
  makeFolder(dirname(path));
  // As it will be read: without what JSON omits.
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
