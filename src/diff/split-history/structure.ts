// SPDX-License-Identifier: GPL-2.0-only
import { type Geometry, levelShift } from '../../linux/geometry.ts';
import type { KernelTraits } from '../../linux/kernel-traits.ts';
import { type LeafKind, leafKind } from '../../linux/leaf-kind.ts';
import { split_kernel_leaf_mapping_locked } from '../../model/arch/arm64/mm/mmu-split.ts';
import { leafRuns, predictedTables } from '../../model/leaf-runs.ts';
import { LinearMap } from '../../model/linear-map.ts';
import type { PredictedRun, PredictedTable } from '../../model/types.ts';
import type { LeafRun } from '../../vmsa/types.ts';

/** Kinds of leaves in the order in which the kernel makes them smaller, the smallest first. */
const kinds: readonly LeafKind[] = ['page', 'contPte', 'pmd', 'contPmd', 'pud'];

export const rankOf = (run: Pick<LeafRun, 'level' | 'contiguous'>): number =>
  kinds.indexOf(leafKind(run));

/**
 * Bytes that leaves of a kind map together: one block or page, or a whole contiguous group. Only
 * all of them at once can be split.
 */
export function structureSize(geometry: Geometry, kind: LeafKind): number {
  const sizes: Record<LeafKind, number> = {
    page: geometry.granule,
    contPte: geometry.CONT_PTE_SIZE,
    pmd: geometry.PMD_SIZE,
    contPmd: geometry.CONT_PMD_SIZE,
    pud: geometry.PUD_SIZE,
  };
  return sizes[kind];
}

/** What becomes of the leaves of one structure where the kernel splits it once. */
export interface SmallerLeaves
  extends Pick<LeafRun, 'level' | 'contiguous' | 'valid' | 'attributes' | 'tableAttributes'> {
  /** The table that took the place of a block. */
  table?: Pick<PredictedTable, 'level' | 'attributes'>;
  /** Bytes of each structure that it became; the first of them ends where it was split. */
  size: number;
}

/** A map of the smallest width that can hold a PUD: the address of a structure does not matter. */
function mapOf(geometry: Geometry, { level, attributes }: PredictedRun, size: number): LinearMap {
  const map = new LinearMap(geometry, Math.log2(geometry.PUD_SIZE) + 1, 0n, 0);
  let table = map.root;
  while (table.level < level) table = map.populate(table, 0, 0n);
  const entries = size / 2 ** levelShift(geometry, level);
  for (let index = 0; index < entries; index++) table.set(index, map.leaf(attributes));
  return map;
}

/**
 * One structure of predicted leaves after the least that the kernel's split_kernel_leaf_mapping()
 * can do to it: a split at the first border of the next smaller structure.
 * @returns undefined for single pages, and for what that function does not see as present
 */
export function splitOnce(
  traits: KernelTraits,
  predicted: PredictedRun,
): SmallerLeaves | undefined {
  const { geometry } = traits;
  const kind = leafKind(predicted);
  const next = kinds[kinds.indexOf(kind) - 1];
  if (next === undefined) return undefined;
  const size = structureSize(geometry, next);
  const map = mapOf(geometry, predicted, structureSize(geometry, kind));
  const before = predictedTables(map).length;
  split_kernel_leaf_mapping_locked(map, traits, size);
  const [run] = leafRuns(map, []);
  if (run === undefined || leafKind(run) !== next) return undefined;
  const table = predictedTables(map)[before];
  const { level, contiguous, valid, attributes } = run;
  const tableAttributes = run.tableAttributes | predicted.tableAttributes;
  return {
    ...{ level, contiguous, valid, attributes, tableAttributes, size },
    ...(table && { table: { level: table.level, attributes: table.attributes } }),
  };
}
