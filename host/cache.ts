// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import { createReadStream, rmSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { tmpName } from 'tmp-promise';
import { PtdiffError } from '../src/errors.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Prints one line about work in progress for the user; downloads call it at most twice a second.
 */
export type Progress = (line: string) => void;

/**
 * Everything that ptdiff downloads or builds is below this one directory, which may be deleted at
 * any time while no ptdiff runs: `apt/` (private package indexes), `kernels/`, `tools/`, `source/`
 * (of kernels, with their build trees), `locks/`, `tmp/`. Beside each folder is the list of the
 * hashes of its files (sealed-folder.ts); records have their own (records.ts). `PTDIFF_CACHE`, or
 * `ptdiff` below `$XDG_CACHE_HOME`, or below `~/.cache`.
 */
export function cacheRoot(): string {
  const { PTDIFF_CACHE, XDG_CACHE_HOME } = process.env;
  return PTDIFF_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ptdiff');
}

/**
 * Whether tools can be in the cache: the program loader treats colons and semicolons as the ends of
 * paths and `$` as the start of a name (ld.so(8)), and apt's configuration cannot express quotes
 * and backslashes (apt.conf(5)).
 * @throws `usage` if they cannot
 */
export function requireUsableCache(): void {
  const root = cacheRoot();
  const found = /[:;$"\\\p{Cc}]/u.exec(root)?.[0];
  if (found === undefined) return;
  const character = /\p{Cc}/u.test(found) ? 'a control character' : `a '${found}'`;
  throw new PtdiffError(
    'usage',
    `The cache ${JSON.stringify(root)} has ${character} in its path, which apt or the program loader cannot handle: set PTDIFF_CACHE to a path without it.`,
  );
}

/** The path of something in the cache. */
export function cachePath(...parts: string[]): string {
  return join(cacheRoot(), ...parts);
}

/** SHA-256 of a file, as lower-case hex digits. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** SHA-256 of bytes or text, as lower-case hex digits. */
export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Whether a file or directory exists. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Scratch directories in use. */
const scratches = new Set<string>();

/** A second Ctrl-C, or an exception, ends this process before their users can clean up. */
process.on('exit', () => {
  for (const scratch of scratches) rmSync(scratch, { recursive: true, force: true });
});

/** Runs `use` with an empty directory on the cache's file system, which is removed afterwards. */
export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const parent = cachePath('tmp');
  makeFolder(parent);
  await sweepScratch(parent);
  const scratch = await tmpName({ tmpdir: parent, prefix: 'job' });
  // One below the other: an unpacker gives the folder that it fills the date of the archive's.
  const content = join(scratch, 'content');
  await mkdir(content, { recursive: true });
  scratches.add(scratch);
  try {
    return await use(content);
  } finally {
    // What failed may still be writing there: an unpacker has many files under way.
    await rm(scratch, { recursive: true, force: true, maxRetries: 10 });
    scratches.delete(scratch);
  }
}

/** Removes the remains of runs that were killed; no step takes a day. */
async function sweepScratch(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const age = await stat(join(parent, name)).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > 86_400_000) {
      // Another process may sweep at the same time: both take files away, and both then fail.
      await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
