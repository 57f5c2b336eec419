// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { PtdiffError } from '../../src/errors.ts';
import { formatKernelSpec, type SourceParts } from '../kernel-spec.ts';
import { askRepository, objectDirectory } from './commit.ts';

/** A commit of a series, and the kernel that is built from it. */
export interface SeriesCommit {
  /** 40 hex digits. */
  id: string;
  subject: string;
  /** For resolveKernel(), loadKernel() and MatrixRequest.kernels. */
  spec: string;
}

/**
 * The kernels of a range of commits, oldest first, e.g. of `v7.2..topic`; at merges, only first
 * parents. This does not build anything.
 * @param parts patches, fragments and compiler for all of them
 * @throws `image` when there is no such repository or git does not know the range; `usage` when it
 * is empty
 */
export async function seriesKernels(
  repository: string,
  range: string,
  parts: SourceParts,
  signal?: AbortSignal,
): Promise<SeriesCommit[]> {
  const path = resolve(repository);
  const found = await kernelsOf(path, ['--reverse', '--first-parent'], range, parts, signal);
  if (found.length > 0) return found;
  throw new PtdiffError('usage', `${range} has no commit in ${path}; is it the right way round?`);
}

/**
 * The kernel of one commit, like those that seriesKernels() returns.
 * @throws `image` when there is no such repository or commit
 */
export async function commitKernel(
  repository: string,
  rev: string,
  parts: SourceParts,
  signal?: AbortSignal,
): Promise<SeriesCommit> {
  const path = resolve(repository);
  const [found] = await kernelsOf(path, ['-1'], rev, parts, signal);
  if (found) return found;
  throw new PtdiffError(
    'image',
    `${rev} names no commit in ${path}; name one, such as a branch or a tag.`,
  );
}

async function kernelsOf(
  path: string,
  options: string[],
  which: string,
  parts: SourceParts,
  signal: AbortSignal | undefined,
): Promise<SeriesCommit[]> {
  // Gives a better message than git if the path is wrong.
  await objectDirectory(path, signal);
  const words = ['log', ...options, '--format=%H %s', '--end-of-options', which, '--'];
  const lines = (await askRepository(path, words, signal))
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => {
    const id = line.slice(0, line.indexOf(' '));
    const spec = formatKernelSpec({ kind: 'git', path, rev: id, ...parts });
    return { id, subject: line.slice(id.length + 1), spec };
  });
}
