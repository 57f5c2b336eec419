// SPDX-License-Identifier: GPL-2.0-only
import { kfencePoolSize } from '../linux/kernel-layout.ts';
import { type PhysicalRange, sizedRange } from '../linux/physical-range.ts';
import type { Question } from './question.ts';

/** Where memblock put the KFENCE pool. */
export function kfencePoolOf({ traits, facts }: Question): PhysicalRange | undefined {
  if (facts.kfencePool === undefined) return undefined;
  return sizedRange(
    facts.kfencePool,
    kfencePoolSize(traits.config.kfenceNumObjects, traits.geometry),
  );
}
