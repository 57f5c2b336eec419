// SPDX-License-Identifier: GPL-2.0-only
import type { Capture } from '../evidence/capture.ts';
import type { LeafRun, WalkResult } from '../vmsa/types.ts';

/**
 * `pa` without the alias bit of a realm's address space; the bit may be 2^47, so bitwise operators
 * do not work.
 */
export function physical(pa: number, aliasBit: number): number {
  return aliasBit > 0 && pa >= aliasBit ? pa - aliasBit : pa;
}

/**
 * True when a leaf maps shared memory (or an untrusted device): its output address has the alias
 * bit.
 */
export function isShared({ pa }: LeafRun, aliasBit: number): boolean {
  return aliasBit > 0 && pa >= aliasBit;
}

/** A walk whose leaves have the addresses of the memory that they map, shared or not. */
function walkWithoutAlias(walk: WalkResult, aliasBit: number): WalkResult {
  return {
    ...walk,
    leaves: walk.leaves.map((leaf) => ({ ...leaf, pa: physical(leaf.pa, aliasBit) })),
  };
}

/**
 * A capture for the rules about physical memory, which are the same for private and shared memory.
 */
export function captureWithoutAlias(capture: Capture, aliasBit: number): Capture {
  if (aliasBit === 0) return capture;
  return {
    ...capture,
    ttbr1: walkWithoutAlias(capture.ttbr1, aliasBit),
    ...(capture.ttbr0 && { ttbr0: walkWithoutAlias(capture.ttbr0, aliasBit) }),
  };
}
