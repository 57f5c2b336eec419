// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists } from '../../host/cache.ts';
import { diskFull } from '../../host/disk-space.ts';
import { PtdiffError } from '../../src/errors.ts';
import { dropHalfWritten } from './run-make.ts';
import { runSupervised } from './supervised.ts';

/** The properties that identify a build tree. */
export interface BuildTreeName {
  /** Id of the compiler and the other programs. */
  compiler: string;
  /** Digest of the requested options. */
  options: string;
}

/** Build trees that a desk keeps, one per configuration and compiler. */
const maximalTrees = 4;
/** Suffix of a build tree that is not complete yet. */
const arriving = '.arriving';
/** The options of a build tree, one per line. */
export const optionsFile = '.ptdiff-config';
/** The path at which make leaves the Image; its time is that of the last build. */
export const builtImage = 'arch/arm64/boot/Image';

const directoryName = ({ compiler, options }: BuildTreeName): string => `${compiler}-${options}`;

/** The Image's path in a desk's build tree; relative to the desk. */
export function imageAtDesk(name: BuildTreeName): string {
  return join('objects', directoryName(name), builtImage);
}

/**
 * Records that a build tree is up to date with its present source. The least used ones are removed
 * to make room.
 */
export async function keepBuildTree(objects: string): Promise<void> {
  // Make does not touch an Image that would be the same.
  await utimes(join(objects, builtImage), new Date(), new Date());
  const parent = dirname(objects);
  const others = (await listTrees(parent)).filter((name) => name !== basename(objects));
  for (const name of others.slice(maximalTrees - 1))
    await rm(join(parent, name), { recursive: true, force: true });
}

/** Removes a build tree in which no kernel was ever built. */
export async function dropUnbuiltTree(objects: string): Promise<void> {
  if (!(await exists(join(objects, builtImage))))
    await rm(objects, { recursive: true, force: true });
}

/**
 * The build tree of a configuration at a desk. A new one starts as a copy of the tree with the same
 * compiler and the fewest different options, since make knows which options each object depends on.
 * @param desk directory of the desk
 * @param text the requested options, one per line
 * @throws `host`; the signal's reason
 */
export async function openBuildTree(
  desk: string,
  name: BuildTreeName,
  text: string,
  signal?: AbortSignal,
): Promise<string> {
  const parent = join(desk, 'objects');
  const own = directoryName(name);
  const directory = join(parent, own);
  await mkdir(parent, { recursive: true });
  const all = await listTrees(parent);
  if (!all.includes(own)) {
    const same = all.filter((each) => each.startsWith(`${name.compiler}-`));
    await copyTree(
      parent,
      await nearestTree(parent, same, text),
      `${directory}${arriving}`,
      signal,
    );
    await rm(`${directory}${arriving}/${builtImage}`, { force: true });
    await rename(`${directory}${arriving}`, directory);
  }
  await dropHalfWritten(directory);
  await writeFile(join(directory, optionsFile), text);
  await utimes(directory, new Date(), new Date());
  return directory;
}

/** The complete ones, the most recently used first; the remains of others are removed. */
async function listTrees(parent: string): Promise<string[]> {
  const dated: { name: string; used: number }[] = [];
  for (const name of await readdir(parent)) {
    if (name.endsWith(arriving)) await rm(join(parent, name), { recursive: true, force: true });
    else dated.push({ name, used: (await stat(join(parent, name))).mtimeMs });
  }
  return dated.sort((a, b) => b.used - a.used).map(({ name }) => name);
}

/** If several trees have equally many different options, the first one. */
async function nearestTree(
  parent: string,
  names: string[],
  text: string,
): Promise<string | undefined> {
  const distances = new Map<string, number>();
  for (const name of names) {
    const theirs = await readFile(join(parent, name, optionsFile), 'utf8').catch(() => '');
    distances.set(name, differingLines(theirs, text));
  }
  const distance = (name: string) => distances.get(name) ?? Infinity;
  return names.toSorted((a, b) => distance(a) - distance(b))[0];
}

function differingLines(one: string, other: string): number {
  const lines = (text: string) => new Set(text.split('\n'));
  return lines(one).symmetricDifference(lines(other)).size;
}

async function copyTree(
  parent: string,
  from: string | undefined,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (from === undefined) return void (await mkdir(to));
  const path = { PATH: process.env.PATH ?? '' };
  const { status, stderr } = await runSupervised(
    ['cp', '-a', '--reflink=auto', join(parent, from), to],
    path,
    {
      signal,
    },
  );
  if (status === 0 && !signal?.aborted) return;
  await rm(to, { recursive: true, force: true });
  signal?.throwIfAborted();
  const what = 'the build tree of a kernel';
  const why = stderr.trim().split('\n')[0];
  throw (await diskFull(stderr, what)) ?? new PtdiffError('host', `Cannot copy ${what}: ${why}.`);
}
