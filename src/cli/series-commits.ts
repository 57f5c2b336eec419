import { resolve } from 'node:path';
import { execa } from 'execa';
import { PtdiffError } from '../errors.ts';
import type { SeriesCommit } from './compare-series.ts';

/** Longer series are a mistake in the range, or a matter for bisection. */
const mostCommits = 500;

async function git(repository: string, args: string[]): Promise<string> {
  const env = { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' };
  const { exitCode, stdout, stderr } = await execa('git', ['-C', repository, ...args], { reject: false, env });
  if (exitCode === 0) return stdout ?? '';
  const [complaint] = (stderr || 'git does not run').split('\n');
  throw new PtdiffError('usage', `git in ${repository}: ${complaint.replace(/^fatal: /, '')}.`);
}

/**
 * The commits of a range along its first parents, oldest first, with its base before them.
 * @param range BASE..TIP, as git writes it
 * @throws PtdiffError(usage) for a range or repository that is none, and for a range without commits
 */
export async function commitsOf(range: string, repository: string): Promise<SeriesCommit[]> {
  const [, base, tip] = /^([^.\s-][^\s]*?)\.\.([^.\s-][^\s]*)$/.exec(range) ?? [];
  if (base === undefined || tip === undefined)
    throw new PtdiffError('usage', `'${range}' is no series: write BASE..TIP, e.g. v7.3..my-topic.`);
  const path = resolve(repository);
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const first = lines(await git(path, ['log', '-1', '--format=%H %s', base, '--']));
  const rest = lines(
    await git(path, ['log', '--reverse', '--first-parent', '--format=%H %s', `${base}..${tip}`, '--']),
  );
  if (rest.length === 0)
    throw new PtdiffError('usage', `${range} holds no commit in ${path}; is it the right way round?`);
  if (rest.length > mostCommits)
    throw new PtdiffError('usage', `${range} holds ${rest.length} commits; compare at most ${mostCommits} at once.`);
  return [...first, ...rest].map((line) => {
    const [id] = line.split(' ', 1);
    return { id, subject: line.slice(id.length + 1), spec: `git:${path}@${id}` };
  });
}
