// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { Question } from './question.ts';

/**
 * Where memblock put the KFENCE pool. Its size is KFENCE_POOL_SIZE: two pages per object, plus two
 * (include/linux/kfence.h).
 */
export function kfencePoolOf({ traits, facts }: Question): PhysicalRange | undefined {
  if (facts.kfencePool === undefined) return undefined;
  const size = (traits.config.kfenceNumObjects + 1) * 2 * traits.geometry.granule;
  return { start: facts.kfencePool, end: facts.kfencePool + size };
}
