import { resolve } from 'node:path';
import { askRepository, objectDirectory } from '../../images/source/commit.ts';
import { PtdiffError } from '../errors.ts';
import type { SeriesCommit } from './compare-series.ts';

/** Longer series are a mistake in the range, or a matter for bisection. */
const mostCommits = 500;

/**
 * The commits of a range along its first parents, oldest first, with its base before them.
 * @param range BASE..TIP, as git writes it
 * @throws PtdiffError `usage` for a range that is none or holds no commits; `image` for a repository that is none, or does not know the range
 */
export async function commitsOf(range: string, repository: string): Promise<SeriesCommit[]> {
  const [, base, tip] = /^([^.\s-][^\s]*?)\.\.([^.\s-][^\s]*)$/.exec(range) ?? [];
  if (base === undefined || tip === undefined)
    throw new PtdiffError('usage', `'${range}' is no series: write BASE..TIP, e.g. v7.3..my-topic.`);
  const path = resolve(repository);
  // Says better than git what is wrong with a path.
  await objectDirectory(path);
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  const first = lines(await askRepository(path, ['log', '-1', '--format=%H %s', base, '--']));
  const rest = lines(
    await askRepository(path, ['log', '--reverse', '--first-parent', '--format=%H %s', `${base}..${tip}`, '--']),
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
