// SPDX-License-Identifier: GPL-2.0-only
import { type CachePolicy, type MemoryType, memoryType } from '../vmsa/memory-type.ts';
import { type Access, permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun } from '../vmsa/types.ts';

/** The rights of one exception level; every way to write counts as writing. */
interface Rights {
  read: boolean;
  write: boolean;
  execute: boolean;
}

/** Effective rights of EL1 and EL0 at a run; none when it is not valid. */
export function accessOf(regime: Stage1Regime, run: LeafRun): { el1: Rights; el0: Rights } {
  const { el1, el0 } = permissions(regime, run);
  return { el1: rightsOf(el1), el0: rightsOf(el0) };
}

/**
 * A page that hardware makes writable at the first write counts as writable, and so does a guarded
 * control stack.
 */
export function rightsOf({
  read,
  write,
  execute,
  writeAfterDirty,
  guardedControlStack,
}: Access): Rights {
  return { read, write: write || writeAfterDirty || guardedControlStack, execute };
}

/** True for Normal memory that is write-back at both cache levels, tagged or not. */
export function isWriteBack(regime: Stage1Regime, run: LeafRun): boolean {
  const type = memoryType(regime, run.attributes);
  return (
    type.kind === 'normal' && type.inner.write === 'write-back' && type.outer.write === 'write-back'
  );
}

/**
 * What two aliases of one location must agree on (DDI 0487 B2.8, mismatched memory attributes): the
 * device type, or the cacheability of both levels. Allocation hints do not matter, nor does tagging
 * (pgattr_change_is_safe() in arch/arm64/mm/mmu.c).
 */
export function aliasClass(type: MemoryType): string {
  if (type.kind === 'device') return `Device-${type.ordering}`;
  if (type.kind === 'reserved') return type.name;
  const level = (policy: CachePolicy) => policy.write;
  return type.inner.write === type.outer.write
    ? level(type.inner)
    : `${level(type.inner)}/${level(type.outer)}`;
}
