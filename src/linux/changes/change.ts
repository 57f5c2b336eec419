// SPDX-License-Identifier: GPL-2.0-only
import type { KernelConfig } from '../kernel-config.ts';
import type { KernelTraits } from '../kernel-traits.ts';

/**
 * A commit of the kernel. An id or a subject that the sources at hand do not give is absent rather
 * than guessed.
 */
export interface Commit {
  /** The first 12 digits of its hash. */
  id?: string;
  subject?: string;
}

/** Traits that are rules of the kernel, not facts about one Image. */
export type RuleTrait = Exclude<
  keyof KernelTraits,
  | 'release'
  | 'generation'
  | 'newerThanKnown'
  | 'geometry'
  | 'config'
  | 'requiresSymbol'
  | 'cpuCapabilities'
  | 'brokenDbm'
  | 'builtInDrivers'
  // No release has it, but a vendor's or a developer's kernel may.
  | 'rsiBeforePagingInit'
>;

/** A trait, and its values in a kernel that has the change. */
type ChangedTrait = {
  [K in RuleTrait]: { name: K; values: readonly KernelTraits[K][] };
}[RuleTrait];

/** One rule of the kernel that changed. Releases are mainline releases, e.g. '7.2'. */
export interface Change {
  /** What a kernel with the change does: a sentence without its full stop. */
  rule: string;
  commits: readonly Commit[];
  /** First release with the change. */
  since: string;
  /** First release that no longer has it, and the commits that removed it. */
  until?: string;
  undoneBy?: readonly Commit[];
  /**
   * Stable updates that carry it, e.g. '6.12.117': the first one of each series where that is
   * known. Other series may carry it too.
   */
  stables?: readonly string[];
  /**
   * The first release that is assumed to have it where the Image does not show it. Present only if
   * this is not the first mainline release: the last stable updates of an older series may carry
   * the change.
   */
  taken?: string;
  /**
   * What in an Image shows whether a kernel has it: a noun. Absent where only the release tells.
   */
  shown?: string;
  /** An option; without it no Image shows the change. */
  needs?: keyof KernelConfig;
  /**
   * The trait that the model branches on; absent where the model calls byRelease(), or has no
   * branch.
   */
  trait?: ChangedTrait;
  /** Why the model has no branch for it. */
  noBranch?: string;
  /** What the change affects: kernel functions, and known issues by id. */
  functions: readonly string[];
  issues?: readonly string[];
}
