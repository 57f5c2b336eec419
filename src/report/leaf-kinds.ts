// SPDX-License-Identifier: GPL-2.0-only
import type { LinearMapSizes } from '../diff/types.ts';
import { geometryOf } from '../linux/geometry.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import { permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { Granule, LeafRun } from '../vmsa/types.ts';
import { formatBytes } from './units.ts';

/** Kinds of leaves, smallest first: the order of every table and legend. */
export const leafKinds = ['page', 'contPte', 'pmd', 'contPmd', 'pud'] as const satisfies LeafKind[];

/** The columns of a composition table, in order. */
export const compositionKinds = [...leafKinds, 'invalid'] as const;

/** Whether two linear maps have the same amount of every kind of leaf. */
export function sameSizes(left: LinearMapSizes, right: LinearMapSizes): boolean {
  return compositionKinds.every((kind) => left[kind] === right[kind]);
}

/**
 * Text for amounts that differ while no leaf does: a prediction has alternatives only for KFENCE
 * objects, which are valid or not depending on their use (src/model/linear-map.ts).
 */
export const acceptedText = 'accepted: KFENCE objects';

/** Bytes that one leaf of this kind, or one contiguous group, translates. */
function kindSize(granule: Granule, kind: LeafKind): number {
  const geometry = geometryOf(granule);
  const sizes: Record<LeafKind, number> = {
    page: granule,
    contPte: geometry.CONT_PTE_SIZE,
    pmd: geometry.PMD_SIZE,
    contPmd: geometry.CONT_PMD_SIZE,
    pud: geometry.PUD_SIZE,
  };
  return sizes[kind];
}

/** A kind with its size, e.g. 'contPte 64K', in maintainers' terms. */
export function kindLabel(granule: Granule, kind: LeafKind): string {
  return `${kind} ${formatBytes(kindSize(granule, kind)).replace(/ (.)i?B$/, '$1')}`;
}

/**
 * How the kernel itself may use a leaf; Linux never makes the linear map executable, so that is a
 * finding and not a shade.
 */
type Shade = 'rw' | 'ro' | 'invalid';

/**
 * The shade of a leaf, by the permissions of EL1 under `regime`; without one (no boot, no
 * registers) by AP[2], which Linux keeps as PTE_RDONLY with permission indirection too
 * (arch/arm64/include/asm/pgtable-prot.h).
 */
export function shadeOf(run: LeafRun, regime: Stage1Regime | undefined): Shade {
  if (!run.valid) return 'invalid';
  if (regime === undefined) return (run.attributes & 0x80n) === 0n ? 'rw' : 'ro';
  const { write, writeAfterDirty } = permissions(regime, run).el1;
  return write || writeAfterDirty ? 'rw' : 'ro';
}
