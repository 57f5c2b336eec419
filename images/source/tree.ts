// SPDX-License-Identifier: GPL-2.0-only
/** The source of a kernel as a git tree. */
export interface SourceTree {
  /** Id of the tree. */
  tree: string;
  /** Directories with its objects, besides the store's own. */
  alternates: string[];
  /**
   * For the records: `7.3 (commit 0123456789ab)`, `linux-source-7.3 7.3.4-1 (sid)`, or the path.
   */
  name: string;
  /** The commit, without patches, where it is one: 40 hexadecimal digits. */
  commit?: string;
  /** Version of the package, or the commit by 40 hex digits; absent for an archive. */
  version?: string;
  /** Short word that distinguishes it from others of the same release, e.g. `g0123456789ab`. */
  tag?: string;
}
