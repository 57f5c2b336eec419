// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { tmpName } from 'tmp-promise';
import { z } from 'zod';
import { cachePath, exists } from '../../host/cache.ts';
import { requireSpace } from '../../host/disk-space.ts';
import { withLock } from '../../host/lock.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { briefTool } from '../../host/tool-limits.ts';
import { first } from '../../src/present.ts';
import type { FetchOptions } from '../debian/apt.ts';
import type { GitStore } from './git-store.ts';
import type { SourceTree } from './tree.ts';

/**
 * A place where kernels are built: a checked-out source with build trees of several configurations
 * beside it. When a desk changes from one tree to another, only the files that differ are touched,
 * so that make has little to do.
 */
export interface Desk {
  directory: string;
  /** The source. */
  source: string;
  /** Git's index of the source. */
  index: string;
}

const stateSchema = z.strictObject({
  /** The tree that is checked out; absent while that changes, and after an interrupted change. */
  tree: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .optional(),
  /** When it was last used, in milliseconds since 1970. */
  used: z.number(),
});
type DeskState = z.infer<typeof stateSchema>;

/** A kernel's source has 1.8 GiB, a small build tree 150 MiB. */
const maximalDesks = 3;
const deskBytes = 2.5 * 2 ** 30;
/**
 * If more files differ, another desk, or a new one, is as good; a release differs from the next in
 * ten thousand and more.
 */
const nearFiles = 5000;

const deskAt = (directory: string): Desk => ({
  directory,
  source: join(directory, 'source'),
  index: join(directory, 'index'),
});
const statePath = ({ directory }: Desk): string => join(directory, 'desk.json');

/** Only one process at a time changes desks and builds kernels: a build takes all cores anyway. */
function alone<T>(options: FetchOptions, use: () => Promise<T>): Promise<T> {
  return withLock('source-desks', use, {
    ...options,
    waiting: 'waiting for another ptdiff that is building a kernel',
  });
}

/** All desks, the most recently used first; the remains of an unfinished one are removed. */
async function listDesks(): Promise<{ desk: Desk; state: DeskState }[]> {
  const parent = cachePath('source', 'desks');
  const found: { desk: Desk; state: DeskState }[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const desk = deskAt(join(parent, name));
    const state = await readRecord(statePath(desk), stateSchema);
    if (state === undefined) await rm(desk.directory, { recursive: true, force: true });
    else found.push({ desk, state });
  }
  return found.sort((a, b) => b.state.used - a.state.used);
}

/** The least used desks are removed to make room. */
async function keepDesks(count: number): Promise<void> {
  for (const { desk } of (await listDesks()).slice(count))
    await rm(desk.directory, { recursive: true, force: true });
}

/** An empty desk. */
async function newDesk(): Promise<Desk> {
  await keepDesks(maximalDesks);
  // A desk is replaced only by one that has been filled, as long as there is room for both.
  const need = () => requireSpace(deskBytes, "a kernel's source");
  await need().catch(async () => {
    await keepDesks(maximalDesks - 1);
    await need();
  });
  const parent = cachePath('source', 'desks');
  await mkdir(parent, { recursive: true });
  const desk = deskAt(await tmpName({ tmpdir: parent, prefix: 'desk' }));
  await mkdir(desk.directory);
  return desk;
}

/**
 * A new desk whose source `fill` provides.
 * @param fill returns the tree that its index describes
 * @returns that tree
 */
export function withNewDesk(
  options: FetchOptions,
  fill: (desk: Desk) => Promise<string>,
): Promise<string> {
  return alone(options, async () => {
    const desk = await newDesk();
    try {
      const tree = await fill(desk);
      await writeRecord(statePath(desk), { tree, used: Date.now() } satisfies DeskState);
      await keepDesks(maximalDesks);
      return tree;
    } catch (error) {
      await rm(desk.directory, { recursive: true, force: true });
      throw error;
    }
  });
}

/**
 * Works at a desk where a tree is checked out: the one where make has the fewest files to process
 * again, or a new one.
 * @param built path below the desk of a file that is as old as the last build in the wanted build
 * tree
 */
export function withDesk<T>(
  store: GitStore,
  source: Pick<SourceTree, 'tree' | 'alternates'>,
  built: string,
  options: FetchOptions,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  return alone(options, async () => {
    const { desk, state } = await nearestDesk(store, source, built);
    if (state?.tree !== source.tree) await checkOut(store, desk, source, state, options.signal);
    await writeRecord(statePath(desk), { tree: source.tree, used: Date.now() } satisfies DeskState);
    await keepDesks(maximalDesks);
    return work(desk);
  });
}

async function nearestDesk(
  store: GitStore,
  source: Pick<SourceTree, 'tree' | 'alternates'>,
  built: string,
): Promise<{ desk: Desk; state?: DeskState }> {
  const near: { desk: Desk; state: DeskState; files: number }[] = [];
  for (const { desk, state } of await listDesks()) {
    const files = state.tree === source.tree ? 0 : await differingFiles(store, desk, source);
    if (files <= nearFiles) near.push({ desk, state, files });
  }
  if (near.length < 2) return near[0] ?? { desk: await newDesk() };
  const costs = new Map<Desk, number>();
  for (const { desk, files } of near) costs.set(desk, files + (await touchedFiles(desk, built)));
  const cost = ({ desk }: { desk: Desk }) => costs.get(desk) ?? Infinity;
  return first(near.sort((a, b) => cost(a) - cost(b)));
}

/**
 * Starting a new build tree costs as much as this many changed files: about as many as a small
 * kernel compiles.
 */
const coldFiles = 1000;

/**
 * Source files that a checkout wrote since the build tree was last made. Make processes them even
 * if they have their old contents again.
 */
async function touchedFiles({ directory, source }: Desk, built: string): Promise<number> {
  const file = join(directory, built);
  if (!(await exists(file))) return coldFiles;
  const { stdout } = await execa(
    'find',
    [source, '-type', 'f', '-newer', file, '-printf', '.'],
    briefTool,
  );
  return stdout.length;
}

/**
 * How many files a checkout would change. This uses the index and not the tree that it was made
 * from: the tree may be in a repository that is no longer available.
 */
async function differingFiles(
  store: GitStore,
  { index }: Desk,
  { tree, alternates }: Pick<SourceTree, 'tree' | 'alternates'>,
): Promise<number> {
  const args = ['diff-index', '--cached', '--name-only', '--no-renames', tree];
  const { ok, stdout } = await store.try(args, { index, alternates });
  return ok ? stdout.split('\n').length : Infinity;
}

/** @param state of the desk, unless it is new */
async function checkOut(
  store: GitStore,
  desk: Desk,
  { tree, alternates }: Pick<SourceTree, 'tree' | 'alternates'>,
  state: DeskState | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  await writeRecord(statePath(desk), { used: Date.now() } satisfies DeskState);
  await mkdir(desk.source, { recursive: true });
  await rm(`${desk.index}.lock`, { force: true });
  const place = { index: desk.index, workTree: desk.source, alternates, signal };
  // As many at a time as there are cores.
  await store.run(['-c', 'checkout.workers=0', 'read-tree', '--reset', '-u', tree], place);
  // After an interrupted checkout there may be files that git does not know.
  if (state !== undefined && state.tree === undefined) await store.run(['clean', '-ffdxq'], place);
}
