// SPDX-License-Identifier: GPL-2.0-only
import type { SourceParts } from '../../images/kernel-spec.ts';
import { commitKernel, type SeriesCommit, seriesKernels } from '../../images/source/series.ts';
import { PtdiffError } from '../../src/errors.ts';

/** A longer series is a mistake in the range, or a job for bisection. */
const mostCommits = 500;

const plain: SourceParts = { patches: [], configs: [], compiler: 'gcc' };

/**
 * The commits of a range along its first parents, oldest first, with its base before them.
 * @param range BASE..TIP, as git writes it
 * @throws PtdiffError `usage` for an invalid or empty range; `image` when there is no repository,
 * or it does not know the range
 */
export async function commitsOf(range: string, repository: string): Promise<SeriesCommit[]> {
  const [, base, tip] = /^([^.\s-][^\s]*?)\.\.([^.\s-][^\s]*)$/.exec(range) ?? [];
  if (base === undefined || tip === undefined)
    throw new PtdiffError(
      'usage',
      `'${range}' is not a series: write BASE..TIP, e.g. v7.3..my-topic.`,
    );
  const first = await commitKernel(repository, base, plain);
  const rest = await seriesKernels(repository, range, plain);
  if (rest.length > mostCommits)
    throw new PtdiffError(
      'usage',
      `${range} has ${rest.length} commits; compare at most ${mostCommits} at once.`,
    );
  return [first, ...rest];
}
