// SPDX-License-Identifier: GPL-2.0-only
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PtdiffError } from '../../src/errors.ts';
import type { FetchOptions } from '../debian/apt.ts';
import { firstComplaint, type GitStore, plainLogs, runGit, withoutGit } from './git-store.ts';
import type { SourceTree } from './tree.ts';

/** Queries a user's repository, which is only ever read. */
export async function askRepository(
  path: string,
  args: string[],
  signal?: AbortSignal,
): Promise<string> {
  // Without the locks that git status and the like take to be faster later.
  const env = {
    ...withoutGit(process.env),
    ...plainLogs,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
  const { ok, stdout, stderr } = await runGit(['-C', path, ...args], env, { signal });
  if (ok) return stdout;
  throw new PtdiffError('image', `Cannot read the repository ${path}: ${firstComplaint(stderr)}.`);
}

/**
 * Where a repository keeps its objects.
 * @throws `image` when there is none
 */
export async function objectDirectory(path: string, signal?: AbortSignal): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder)
    throw new PtdiffError(
      'image',
      `There is no folder ${path}; git:PATH@REV needs the folder of a repository.`,
    );
  return (
    await askRepository(
      path,
      ['rev-parse', '--path-format=absolute', '--git-path', 'objects'],
      signal,
    )
  ).trim();
}

/**
 * The commit that a revision of a repository currently names, as 40 hexadecimal digits.
 * @throws `image` when there is none
 */
export async function commitId(path: string, rev: string, signal?: AbortSignal): Promise<string> {
  try {
    return (
      await askRepository(
        path,
        ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`],
        signal,
      )
    ).trim();
  } catch (cause) {
    signal?.throwIfAborted();
    throw new PtdiffError('image', `The repository ${path} has no commit '${rev}'.`, { cause });
  }
}

/**
 * The tree of a commit in a user's repository. Nothing in the repository is written to, not even
 * its files, index and HEAD.
 * @throws `image` when there is no such repository or commit, or the commit is not a Linux with
 * arm64
 */
export async function commitTree(
  store: GitStore,
  { path: given, rev }: { path: string; rev: string },
  { signal }: FetchOptions,
): Promise<SourceTree> {
  const path = resolve(given);
  const objects = await objectDirectory(path, signal);
  const commit = await commitId(path, rev, signal);
  const tree = (await askRepository(path, ['rev-parse', `${commit}^{tree}`], signal)).trim();
  const alternates = [objects];
  const short = commit.slice(0, 12);
  await requireArm64(store, tree, alternates, `Commit ${short} of ${path}`);
  return {
    tree,
    alternates,
    name: `${path} at ${short}`,
    commit,
    version: commit,
    tag: `g${short}`,
  };
}

/** A file that every source of Linux for arm64 has. */
export const arm64Makefile = 'arch/arm64/Makefile';

/** The error for a source that lacks it. */
export function noArm64(what: string): PtdiffError {
  return new PtdiffError(
    'image',
    `${what} has no arch/arm64: it is not a source of Linux for arm64.`,
  );
}

/** @throws `image` for a tree that is not a kernel's, or whose objects are incomplete */
async function requireArm64(
  store: GitStore,
  tree: string,
  alternates: string[],
  what: string,
): Promise<void> {
  if (await store.has(`${tree}:${arm64Makefile}`, alternates)) return;
  if (await store.has(tree, alternates)) throw noArm64(what);
  throw new PtdiffError('image', `${what} has no files here (a partial clone?).`);
}
