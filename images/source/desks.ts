import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpName } from 'tmp-promise';
import type { FetchOptions } from '../apt.ts';
import { cachePath, exists, readJson, requireSpace, withLock, writeJson } from '../cache.ts';
import type { GitStore } from './git-store.ts';
import type { SourceTree } from './source-tree.ts';

/**
 * Where kernels are built: a checked-out source with build trees of several configurations beside it. A desk goes from one tree to the next
 * by touching the files that differ only, so that make does little.
 */
export interface Desk {
  directory: string;
  /** The source. */
  source: string;
  /** Git's index of it. */
  index: string;
}

interface DeskState {
  /** What is checked out; absent while that changes, and after a change that was cut short. */
  tree?: string;
  /** When it was used last, in milliseconds since 1970. */
  used: number;
}

/** A kernel's source has 1.8 GiB, a small build tree 150 MiB. */
const maximalDesks = 3;
const deskBytes = 2.5 * 2 ** 30;
/** With more differing files another desk, or a new one, is as good; a release differs from the next in ten thousand and more. */
const nearFiles = 5000;

const deskAt = (directory: string): Desk => ({
  directory,
  source: join(directory, 'source'),
  index: join(directory, 'index'),
});
const statePath = ({ directory }: Desk): string => join(directory, 'desk.json');

/** Desks are changed, and kernels built, by one process at a time: a build takes all cores anyway. */
function alone<T>(options: FetchOptions, use: () => Promise<T>): Promise<T> {
  const waiting = () => options.progress?.('waiting for another ptdiff that builds a kernel');
  return withLock('source-desks', use, { waiting, ...(options.signal && { signal: options.signal }) });
}

/** All desks, the one used last first; what is left of one that was never finished is removed. */
async function listDesks(): Promise<{ desk: Desk; state: DeskState }[]> {
  const parent = cachePath('source', 'desks');
  const found: { desk: Desk; state: DeskState }[] = [];
  for (const name of await readdir(parent).catch(() => [])) {
    const desk = deskAt(join(parent, name));
    const state = await readJson<DeskState>(statePath(desk));
    if (state === undefined) await rm(desk.directory, { recursive: true, force: true });
    else found.push({ desk, state });
  }
  return found.sort((a, b) => b.state.used - a.state.used);
}

/** An empty desk; the ones used least make room. */
async function newDesk(): Promise<Desk> {
  for (const { desk } of (await listDesks()).slice(maximalDesks - 1)) {
    await rm(desk.directory, { recursive: true, force: true });
  }
  await requireSpace(deskBytes, "a kernel's source");
  const parent = cachePath('source', 'desks');
  await mkdir(parent, { recursive: true });
  const desk = deskAt(await tmpName({ tmpdir: parent, prefix: 'desk' }));
  await mkdir(desk.directory);
  return desk;
}

/**
 * A new desk whose source `fill` brings.
 * @param fill answers with the tree that its index describes
 * @returns that tree
 */
export function withNewDesk(options: FetchOptions, fill: (desk: Desk) => Promise<string>): Promise<string> {
  return alone(options, async () => {
    const desk = await newDesk();
    try {
      const tree = await fill(desk);
      await writeJson(statePath(desk), { tree, used: Date.now() } satisfies DeskState);
      return tree;
    } catch (error) {
      await rm(desk.directory, { recursive: true, force: true });
      throw error;
    }
  });
}

/**
 * Works at a desk where a tree is checked out: one that has the wanted file, since building anew costs more than any checkout; among those
 * the one with the fewest files to change; or a new one.
 * @param wanted path below the desk
 */
export function withDesk<T>(
  store: GitStore,
  source: Pick<SourceTree, 'tree' | 'alternates'>,
  wanted: string,
  options: FetchOptions,
  work: (desk: Desk) => Promise<T>,
): Promise<T> {
  return alone(options, async () => {
    const { desk, state } = await nearestDesk(store, source, wanted);
    if (state?.tree !== source.tree)
      await checkOut(store, desk, source, state !== undefined && state.tree === undefined);
    await writeJson(statePath(desk), { tree: source.tree, used: Date.now() } satisfies DeskState);
    return work(desk);
  });
}

async function nearestDesk(
  store: GitStore,
  source: Pick<SourceTree, 'tree' | 'alternates'>,
  wanted: string,
): Promise<{ desk: Desk; state?: DeskState }> {
  const near: { desk: Desk; state: DeskState; files: number; cold: number }[] = [];
  for (const { desk, state } of await listDesks()) {
    const files = state.tree === source.tree ? 0 : await differingFiles(store, desk, source);
    const cold = (await exists(join(desk.directory, wanted))) ? 0 : 1;
    if (files <= nearFiles) near.push({ desk, state, files, cold });
  }
  const [best] = near.sort((a, b) => a.cold - b.cold || a.files - b.files);
  return best ?? { desk: await newDesk() };
}

/**
 * How many files a checkout would change. The index is asked, not the tree that it was made of: that may lie in a repository that is not
 * at hand now.
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

/** @param unclean a checkout before this one was cut short: files may lie there that git knows nothing of */
async function checkOut(
  store: GitStore,
  desk: Desk,
  { tree, alternates }: Pick<SourceTree, 'tree' | 'alternates'>,
  unclean: boolean,
): Promise<void> {
  await writeJson(statePath(desk), { used: Date.now() } satisfies DeskState);
  await mkdir(desk.source, { recursive: true });
  await rm(`${desk.index}.lock`, { force: true });
  const place = { index: desk.index, workTree: desk.source, alternates };
  // As many at a time as there are cores.
  await store.run(['-c', 'checkout.workers=0', 'read-tree', '--reset', '-u', tree], place);
  if (unclean) await store.run(['clean', '-ffdxq'], place);
}
