// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cachePath, exists } from '../../host/cache.ts';
import { diskFull } from '../../host/disk-space.ts';
import { withLock } from '../../host/lock.ts';
import { longTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import { runSupervised } from './supervised.ts';

/** How one git command is run. */
interface GitOptions {
  /** Path of the index file; must be absolute. */
  index?: string;
  /** Directory to check out into. */
  workTree?: string;
  /** Object directories of other repositories, which are only read. */
  alternates?: readonly string[];
  input?: string | Uint8Array;
  signal?: AbortSignal | undefined;
}

/** How a git command ended. */
interface GitResult {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/**
 * A git repository of ptdiff's own in the cache: every source becomes a tree in it, and trees can
 * be compared and checked out.
 */
export interface GitStore {
  /** Runs git and returns how it ended. */
  try(args: string[], options?: GitOptions): Promise<GitResult>;
  /** @throws `host` with git's complaint when it fails */
  run(args: string[], options?: GitOptions): Promise<string>;
  /** Whether the store, or one of the alternates, has an object. */
  has(object: string, alternates?: readonly string[]): Promise<boolean>;
}

/**
 * Opens the store, and creates it if there is none.
 * @throws `host` when git is missing or the cache cannot be written
 */
export async function openGitStore(): Promise<GitStore> {
  const directory = cachePath('source', 'objects.git');
  const store = storeIn(directory);
  if (!(await exists(join(directory, 'HEAD')))) {
    await withLock('source-objects', async () => {
      if (await exists(join(directory, 'HEAD'))) return;
      await mkdir(join(directory, '..'), { recursive: true });
      const arriving = `${directory}.new`;
      await rm(arriving, { recursive: true, force: true });
      try {
        await storeIn(arriving).run([
          'init',
          '--quiet',
          '--bare',
          '--template=',
          '--object-format=sha1',
          arriving,
        ]);
        await rm(directory, { recursive: true, force: true });
        await rename(arriving, directory);
      } finally {
        // On a full disk, for example.
        await rm(arriving, { recursive: true, force: true });
      }
    });
  }
  return store;
}

function storeIn(directory: string): GitStore {
  const attempt = (args: string[], options: GitOptions = {}) => {
    const env = environment(directory, options);
    return options.workTree === undefined
      ? runGit(args, env, options)
      : runGitInFiles(args, env, options);
  };
  return {
    try: attempt,
    run: async (args, options) => {
      const { ok, stdout, stderr } = await attempt(args, options);
      if (ok) return stdout;
      const why = `git ${args[0]} failed on ptdiff's store of sources: ${firstComplaint(stderr)}.`;
      throw (await diskFull(stderr, 'the source of a kernel')) ?? new PtdiffError('host', why);
    },
    has: async (object, alternates) =>
      (await attempt(['cat-file', '-e', object], { alternates })).ok,
  };
}

/**
 * The user's configuration, and variables that a calling git left in the environment (hooks, bisect
 * run), must change nothing.
 */
function environment(
  directory: string,
  { index, workTree, alternates }: GitOptions,
): Record<string, string> {
  return {
    ...withoutGit(process.env),
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    ...(index !== undefined && { GIT_INDEX_FILE: index }),
    ...(workTree !== undefined && { GIT_WORK_TREE: workTree }),
    ...(alternates && {
      GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates.map((path) => JSON.stringify(path)).join(':'),
    }),
  };
}

/** The environment without git's own variables. */
export function withoutGit(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    ...Object.fromEntries(entries.filter(([name]) => !name.startsWith('GIT_'))),
    LC_ALL: 'C',
  };
}

/**
 * For git in a repository of the user, whose configuration applies: if it verifies signatures, the
 * results appear among the lines of a log.
 */
export const plainLogs = {
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'log.showSignature',
  GIT_CONFIG_VALUE_0: 'false',
};

/** Git's output may be the list of every file of a kernel. */
const maximalOutput = 64 * 2 ** 20;

/**
 * Runs git with exactly this environment.
 * @throws `host` when there is no git; the signal's reason
 */
export async function runGit(
  args: string[],
  env: Record<string, string>,
  { input, signal }: GitOptions,
): Promise<GitResult> {
  const result = await execa('git', args, {
    ...longTool,
    env,
    extendEnv: false,
    reject: false,
    maxBuffer: maximalOutput,
    ...(input === undefined ? { stdin: 'ignore' } : { input }),
    ...(signal && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  if (result.code === 'ENOENT') throw noGit();
  return { ok: result.exitCode === 0, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}

/**
 * The same for a git that writes checked-out files: it must not keep running where the next ptdiff
 * works.
 */
async function runGitInFiles(
  args: string[],
  env: Record<string, string>,
  { signal }: GitOptions,
): Promise<GitResult> {
  const { status, stdout, stderr } = await runSupervised(['git', ...args], env, {
    signal,
    maxBuffer: maximalOutput,
  });
  signal?.throwIfAborted();
  if (status === 127) throw noGit();
  return { ok: status === 0, stdout, stderr };
}

const noGit = () =>
  new PtdiffError(
    'host',
    'Kernels from source need git, which is not on PATH: install the package git.',
  );

/** Git's error message, without its prefix and final stop. */
export function firstComplaint(stderr: string): string {
  const line =
    stderr.split('\n').find((each) => /^(fatal|error):/.test(each)) ?? stderr.trim().split('\n')[0];
  return (line || 'it said nothing').replace(/^(fatal|error): /, '').replace(/\.$/, '');
}
