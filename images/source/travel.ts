// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitStore } from './git-store.ts';
import type { SourceTree } from './tree.ts';

/**
 * Packs the source of a kernel for another machine, as git packs it.
 * @param base a tree that the other machine has: what it shares is left out
 * @param folder gets the pack
 * @returns the path of the pack; undefined where nothing is left to send
 * @throws `host` with git's complaint
 */
export async function packTree(
  store: GitStore,
  { tree, alternates }: Pick<SourceTree, 'tree' | 'alternates'>,
  base: string | undefined,
  folder: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const words = ['rev-list', '--objects', '--no-object-names', tree];
  const without = base === undefined ? [] : [`^${base}`];
  const objects = await store.run([...words, ...without], { alternates, signal });
  if (objects.trim() === '') return undefined;
  const name = join(folder, `tree-${tree}`);
  const hash = await store.run(['pack-objects', '--quiet', name], {
    alternates,
    input: objects,
    signal,
  });
  return `${name}-${hash.trim()}.pack`;
}

/** Brings what packTree() made into the store. */
export async function takeInPack(
  store: GitStore,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  await store.run(['index-pack', '--stdin', '--fix-thin'], { input: await readFile(path), signal });
}
