// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Narrowed } from '../../src/bisect/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import { last } from '../../src/present.ts';
import { firstComplaint, plainLogs, runGit, withoutGit } from './git-store.ts';

/** A commit as text for a reader. */
interface CommitInfo {
  /** 40 hex digits. */
  commit: string;
  subject: string;
  author: string;
  /** ISO 8601. */
  date: string;
}

/**
 * Commits by what is known about them. `new` lists those on the new side; the last one was settled
 * last.
 */
interface SortedCommits {
  old: string[];
  new: string[];
  skipped: string[];
}

/**
 * Neither a calling git (a hook, git bisect run) nor the user's configuration may redirect these
 * commands.
 */
function environment(): Record<string, string> {
  return {
    ...withoutGit(process.env),
    ...plainLogs,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
}

/** @throws PtdiffError(usage) with git's own reason */
async function git(words: string[], what: string): Promise<string> {
  const { ok, stdout, stderr } = await runGit(words, environment(), {});
  if (ok) return stdout;
  throw new PtdiffError('usage', `${what}: ${firstComplaint(stderr)}.`);
}

/**
 * The commit that a revision of a repository means, as 40 hex digits.
 * @throws PtdiffError(usage) when there is no such repository or commit
 */
export async function resolveCommit(repository: string, revision: string): Promise<string> {
  const words = ['rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`];
  return (
    await git(['-C', repository, ...words], `${repository} has no commit '${revision}'`)
  ).trim();
}

/**
 * The history of a repository, for git bisect. The repository itself is never written to: bisection
 * happens in an empty bare repository of our own, which borrows the other's objects.
 */
export class GitHistory {
  readonly #own: string;

  private constructor(own: string) {
    this.#own = own;
  }

  /**
   * @param repository a work tree or bare repository of the user
   * @param own folder of our own repository; created if necessary
   * @throws PtdiffError(usage) when there is no repository
   */
  static async open(repository: string, own: string): Promise<GitHistory> {
    const places = ['--path-format=absolute', '--git-path', 'objects', '--git-path', 'shallow'];
    const located = await git(
      ['-C', repository, 'rev-parse', ...places],
      `${repository} is not a git repository`,
    );
    const [objects = '', shallow = ''] = located.split('\n');
    await mkdir(own, { recursive: true });
    await git(
      ['init', '--quiet', '--bare', '--template=', own],
      `Cannot make the repository ${own}`,
    );
    await mkdir(join(own, 'objects', 'info'), { recursive: true });
    await writeFile(join(own, 'objects', 'info', 'alternates'), `${objects}\n`);
    const cut = await readFile(shallow).catch(() => undefined);
    if (cut) await writeFile(join(own, 'shallow'), cut);
    return new GitHistory(own);
  }

  async isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    const words = ['--git-dir', this.#own, 'merge-base', '--is-ancestor', ancestor, descendant];
    return (await runGit(words, environment(), {})).ok;
  }

  async describe(commit: string): Promise<CommitInfo> {
    const shown = await this.#git('show', '-s', '--format=%s%n%an <%ae>%n%aI', commit);
    const [subject = '', author = '', date = ''] = shown.split('\n');
    return { commit, subject, author, date };
  }

  async parents(commit: string): Promise<string[]> {
    return (await this.#git('show', '-s', '--format=%P', commit))
      .split(' ')
      .filter((word) => word !== '');
  }

  /**
   * Lets git bisect choose the next commit to test, or the first one on the new side.
   * @throws PtdiffError(usage) when the history contradicts the answers, e.g. a merge base that is
   * already on the new side
   */
  async narrow(commits: SortedCommits): Promise<Narrowed> {
    const newest = last(commits.new);
    // git bisect requires a HEAD that is a commit; ours has no meaning.
    await this.#git('update-ref', '--no-deref', 'HEAD', newest);
    await this.#bisect(
      'start',
      '--no-checkout',
      '--term-new=new',
      '--term-old=old',
      newest,
      ...commits.old,
    );
    if (commits.skipped.length > 0) await this.#bisect('skip', ...commits.skipped);
    const log = await this.#git('bisect', 'log');
    const named = (line: RegExp): string[] =>
      [...log.matchAll(line)].map(([, commit = '']) => commit);
    const [found] = named(/^# first new commit: \[([0-9a-f]+)\]/gm);
    if (found !== undefined)
      return { kind: 'found', candidate: found, before: await this.parents(found) };
    const possible = named(/^# possible first new commit: \[([0-9a-f]+)\]/gm);
    if (possible.length > 0) return { kind: 'unclear', candidates: possible };
    const candidate = (await this.#git('rev-parse', 'BISECT_HEAD')).trim();
    return { kind: 'test', candidate, suspects: await this.suspects(newest, commits.old) };
  }

  /** Commits that may be the first on the new side. */
  async suspects(newest: string, old: readonly string[]): Promise<number> {
    return Number(await this.#git('rev-list', '--count', newest, '--not', ...old));
  }

  async #git(...words: string[]): Promise<string> {
    return (
      await git(['--git-dir', this.#own, ...words], `git ${words.slice(0, 2).join(' ')} failed`)
    ).trimEnd();
  }

  /**
   * git bisect also fails when only skipped commits are left, which is an answer: its log shows
   * that.
   */
  async #bisect(...words: string[]): Promise<void> {
    const { ok, stdout, stderr } = await runGit(
      ['--git-dir', this.#own, 'bisect', ...words],
      environment(),
      {},
    );
    const onlySkipped = /^There are only 'skip'ped commits left/m.test(stdout);
    if (ok || onlySkipped) return;
    const why = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
    throw new PtdiffError('usage', `git bisect cannot continue: ${why.join(' ').slice(0, 400)}`);
  }
}
