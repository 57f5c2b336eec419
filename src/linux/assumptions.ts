// SPDX-License-Identifier: GPL-2.0-only
import type { KernelConfig } from './kernel-config.ts';
import type { KernelTraits } from './kernel-traits.ts';

/** What a hypothesis about a kernel changes in its traits. */
interface TraitChanges {
  traits?: Partial<KernelTraits>;
  config?: Partial<KernelConfig>;
}

/** One possible answer where the Image does not show a trait. */
export interface Hypothesis {
  /** A clause: 'PAGE_KERNEL carries PTE_DIRTY'. */
  says: string;
  changes: TraitChanges;
}

/** Something about a kernel that its Image does not show. */
export interface Assumption {
  /** A trait by its name in KernelTraits, or an option of its configuration. */
  trait: string;
  /** What the release's rule says; this answer is in the traits. */
  chosen: Hypothesis;
  /** Other possible answers; empty where only a boot of a better known kernel could decide. */
  alternatives: Hypothesis[];
  /** Why the Image does not show it: a clause. */
  why: string;
}

/** A question that the Image may not answer. */
interface Doubt<T> {
  /** What the release's rule says, and what else it may be. */
  rule: T;
  others: readonly T[];
  says: (value: T) => string;
  why: string;
}

/** Collects what an Image does not show while the traits are read. */
export class Assumptions {
  readonly list: Assumption[] = [];

  /** A trait: what the Image shows, or else the release's rule, with a note. */
  trait<K extends keyof KernelTraits>(
    name: K,
    shown: KernelTraits[K] | undefined,
    doubt: Doubt<KernelTraits[K]>,
  ): KernelTraits[K] {
    return this.#decide(name, shown, doubt, (value) => ({ traits: { [name]: value } }));
  }

  /** An option of the configuration, in the same way. */
  option<K extends keyof KernelConfig>(
    name: K,
    shown: KernelConfig[K] | undefined,
    doubt: Doubt<KernelConfig[K]>,
  ): KernelConfig[K] {
    return this.#decide(name, shown, doubt, (value) => ({ config: { [name]: value } }));
  }

  #decide<T>(
    trait: string,
    shown: T | undefined,
    doubt: Doubt<T>,
    changes: (value: T) => TraitChanges,
  ): T {
    if (shown !== undefined) return shown;
    const hypothesis = (value: T): Hypothesis => ({
      says: doubt.says(value),
      changes: changes(value),
    });
    this.list.push({
      trait,
      chosen: hypothesis(doubt.rule),
      alternatives: doubt.others.filter((value) => value !== doubt.rule).map(hypothesis),
      why: doubt.why,
    });
    return doubt.rule;
  }
}

/** The traits as they are if a hypothesis is true. */
export function withChanges(
  traits: KernelTraits,
  { traits: changed, config }: TraitChanges,
): KernelTraits {
  return { ...traits, ...changed, config: { ...traits.config, ...config } };
}
