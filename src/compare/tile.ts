// SPDX-License-Identifier: GPL-2.0-only
import type { Geometry } from '../linux/geometry.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import { last } from '../present.ts';
import type { Range } from './places.ts';

/** A stretch of memory that leaves of one kind could map. */
export interface Tile extends Range {
  kind: LeafKind;
  /** Bytes of one leaf, or of one contiguous group. */
  size: number;
}

/** Kinds of leaves with the bytes that each translates as a unit, largest first. */
function leafSizes(geometry: Geometry): { kind: LeafKind; size: number }[] {
  return [
    ...(geometry.pudSectSupported ? [{ kind: 'pud' as const, size: geometry.PUD_SIZE }] : []),
    { kind: 'contPmd', size: geometry.CONT_PMD_SIZE },
    { kind: 'pmd', size: geometry.PMD_SIZE },
    { kind: 'contPte', size: geometry.CONT_PTE_SIZE },
    { kind: 'page', size: geometry.granule },
  ];
}

/**
 * The largest leaves that alignment allows in a range, as tiles in ascending address: what
 * map_mem() uses where nothing forbids it.
 */
export function tile(range: Range, geometry: Geometry): Tile[] {
  const sizes = leafSizes(geometry);
  const tiles: Tile[] = [];
  for (let at = range.start; at < range.end; ) {
    const best = sizes.find(({ size }) => at % size === 0 && at + size <= range.end) ?? last(sizes);
    // As many as follow each other until a larger one fits, or the range ends.
    const larger = sizes[sizes.indexOf(best) - 1];
    const stop =
      larger === undefined ? range.end : (Math.floor(at / larger.size) + 1) * larger.size;
    const end = Math.max(
      at + best.size,
      Math.floor(Math.min(stop, range.end) / best.size) * best.size,
    );
    tiles.push({ start: at, end, ...best });
    at = end;
  }
  return tiles;
}
