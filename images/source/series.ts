import { resolve } from 'node:path';
import { PtdiffError } from '../../src/errors.ts';
import { formatKernelSpec, type SourceParts } from '../kernel-spec.ts';
import { askRepository, objectDirectory } from './commit.ts';

/** A commit of a series, and the kernel that is built of it. */
export interface SeriesCommit {
  /** 40 hex digits. */
  id: string;
  subject: string;
  /** For resolveKernel(), loadKernel() and MatrixRequest.kernels. */
  spec: string;
}

/**
 * The kernels of a range of commits, oldest first, e.g. of `v7.2..topic`; first parents only where branches were merged. Nothing is built yet.
 * @param parts patches, fragments and compiler for all of them
 * @throws `image` when there is no such repository or git does not know the range; `usage` when it is empty
 */
export async function seriesKernels(
  repository: string,
  range: string,
  parts: SourceParts,
  signal?: AbortSignal,
): Promise<SeriesCommit[]> {
  const path = resolve(repository);
  await objectDirectory(path, signal);
  const args = ['log', '--reverse', '--first-parent', '--format=%H %s', '--end-of-options', range, '--'];
  const lines = (await askRepository(path, args, signal)).split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new PtdiffError('usage', `The range ${range} of ${path} holds no commit.`);
  return lines.map((line) => {
    const id = line.slice(0, line.indexOf(' '));
    const spec = formatKernelSpec({ kind: 'git', path, rev: id, ...parts });
    return { id, subject: line.slice(id.length + 1), spec };
  });
}
