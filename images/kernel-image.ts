// SPDX-License-Identifier: GPL-2.0-only
/** A kernel that is ready to boot. */
export interface KernelImage {
  /** As the user named it. */
  spec: string;
  /** `uname -r`, from the Image's banner. */
  release: string;
  /** Version of the Debian package, or the commit by 40 hex digits; the release for any other. */
  version: string;
  /**
   * `arm64`, `16k`, `cloud`, `rt`; `local` for a local Image; `source`, `source-64k`, … for a built
   * one.
   */
  flavour: string;
  /** A plain, checked arm64 Image. */
  imagePath: string;
  /** The config that it was built with, where it is available. */
  configPath?: string;
  /** SHA-256 of the Image. */
  sha256: string;
  /**
   * Where it came from: `PACKAGE VERSION (SUITE)`, or the path; for a built one with patches and
   * compiler.
   */
  source: string;
  /** The commit that it was built from, without patches: 40 hexadecimal digits. */
  commit?: string;
  /**
   * Distinguishes it from other kernels of the same release, where the source has a name of its
   * own: `g0123456789ab` for a commit.
   */
  tag?: string;
  /** Its modules are available, see debianModules(). */
  hasModules?: true;
  /** Sentences for the user: a replacement for a lost package, a missing config, old lists. */
  notes: string[];
}
