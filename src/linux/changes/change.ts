// SPDX-License-Identifier: GPL-2.0-only
import type { KernelConfig } from '../kernel-config.ts';
import type { KernelTraits } from '../kernel-traits.ts';

/**
 * A commit of the kernel. Where no source at hand gave the subject of an id, or the id of a
 * subject, it is absent rather than guessed.
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
  | 'builtInDrivers'
  // No release has it: kernels that a vendor or a developer changed do.
  | 'rsiBeforePagingInit'
>;

/** A trait, and its values in a kernel that has the change. */
type ChangedTrait = {
  [K in RuleTrait]: { name: K; values: readonly KernelTraits[K][] };
}[RuleTrait];

/** One rule of the kernel that changed. Releases are of the mainline: '7.2'. */
export interface Change {
  /** What a kernel that has it does: a sentence without its full stop. */
  rule: string;
  commits: readonly Commit[];
  /** First release with it. */
  since: string;
  /** First release without it again, and what took it away. */
  until?: string;
  undoneBy?: readonly Commit[];
  /**
   * Stable updates that carry it, the first of each series that is known to: '6.12.117'. Other
   * series may carry it, too.
   */
  stables?: readonly string[];
  /**
   * The first release that is taken to have it where the Image does not show it, if it is another
   * than the mainline's: one whose last stable updates carry it.
   */
  taken?: string;
  /** What of an Image shows whether it has it: a noun. Absent where its release alone tells. */
  shown?: string;
  /** The option without which no Image shows it. */
  needs?: keyof KernelConfig;
  /** What the model branches on; absent where it asks byRelease(), or has no branch at all. */
  trait?: ChangedTrait;
  /** Why the model has no branch for it. */
  noBranch?: string;
  /** What depends on it: functions of the kernel, and known issues by id. */
  functions: readonly string[];
  issues?: readonly string[];
}
