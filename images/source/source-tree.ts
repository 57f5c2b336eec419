// SPDX-License-Identifier: GPL-2.0-only
import type { FetchOptions } from '../debian/apt.ts';
import { formatOrigin, type SourceOrigin } from '../kernel-spec.ts';
import { commitTree } from './commit.ts';
import type { GitStore } from './git-store.ts';
import { packageTree, tarballTree } from './import-archive.ts';
import type { SourceTree } from './tree.ts';

/**
 * Provides the source that a spec names, without its patches.
 * @throws `image` for a source that does not exist or is not a Linux with arm64; `usage`; `host`
 */
export function sourceTree(
  store: GitStore,
  origin: SourceOrigin,
  options: FetchOptions,
): Promise<SourceTree> {
  switch (origin.kind) {
    case 'git':
      return commitTree(store, origin, options);
    case 'tarball':
      return tarballTree(store, origin.path, options);
    case 'source':
      return packageTree(store, formatOrigin(origin), origin.version, options);
  }
}
