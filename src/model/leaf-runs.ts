// SPDX-License-Identifier: GPL-2.0-only
import { PTE_CONT, PTE_VALID } from '../linux/pgprot.ts';
import { type LinearMap, NONE, PROT_NS_SHARED, TABLE, type Table } from './linear-map.ts';
import type { PredictedRun, PredictedTable } from './types.ts';

/**
 * A named part of the linear map, [start, end) as offsets, with other attributes that its leaves
 * may have.
 */
export interface Area {
  start: number;
  end: number;
  why: string;
  /** Other correct values for given predicted attributes; none by default. */
  alternatives?: (attributes: bigint) => bigint[];
}

/**
 * Cuts `run` at the borders of areas. Areas are disjoint and ascending; everything outside them is
 * 'memory'.
 */
function cut(
  run: PredictedRun,
  offset: number,
  areas: Area[],
  emit: (run: PredictedRun) => void,
): void {
  const end = offset + run.size;
  let at = offset;
  const piece = (to: number, area: Area | undefined): void => {
    if (to <= at) return;
    const delta = at - offset;
    emit({
      ...run,
      va: run.va + BigInt(delta),
      pa: run.pa + delta,
      size: to - at,
      why: area?.why ?? 'memory',
      alternatives: area?.alternatives?.(run.attributes) ?? [],
    });
    at = to;
  };
  for (const area of areasWithin(areas, offset, end)) {
    piece(Math.max(at, area.start), undefined);
    piece(Math.min(end, area.end), area);
  }
  piece(end, undefined);
}

/** Areas that overlap [start, end), found by binary search, since there may be thousands. */
function areasWithin(areas: Area[], start: number, end: number): Area[] {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    // Between low and high, so inside the list.
    if ((areas[middle] as Area).end <= start) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < areas.length && (areas[last] as Area).start < end) last++;
  return areas.slice(low, last);
}

const hierarchical = (table: Table): number => Number((table.descriptor >> 59n) & 0x1fn);

/**
 * The predicted map as runs of equal leaves in ascending address, cut at the borders of `areas`. A
 * leaf larger than an area belongs to the area that its first byte lies in: runs never cut a leaf.
 * @param aliasBit the address bit of shared memory in a realm, as a number
 */
export function leafRuns(map: LinearMap, areas: Area[], aliasBit = 0): PredictedRun[] {
  const runs: PredictedRun[] = [];
  const areasOfLevel = new Map<number, Area[]>();
  const visit = (table: Table, inherited: number): void => {
    const size = map.entrySize(table);
    if (!areasOfLevel.has(size)) areasOfLevel.set(size, wholeLeaves(areas, size));
    for (let i = 0; i < table.entries.length; ) {
      const entry = table.entries[i] as number;
      const first = i++;
      if (entry === TABLE) {
        const below = table.tables.get(first) as Table;
        visit(below, inherited | hierarchical(below));
        continue;
      }
      if (entry === NONE) continue;
      while (i < table.entries.length && table.entries[i] === entry) i++;
      const offset = table.offset + first * size;
      const word = map.attributes(entry);
      const attributes = word & ~PROT_NS_SHARED;
      const shared = word === attributes ? 0 : aliasBit;
      const run: PredictedRun = {
        va: map.start + BigInt(offset),
        pa: map.physBase + offset + shared,
        size: (i - first) * size,
        level: table.level,
        contiguous: (attributes & PTE_CONT) !== 0n,
        valid: (attributes & PTE_VALID) !== 0n,
        attributes,
        tableAttributes: inherited,
        why: '',
        alternatives: [],
      };
      cut(run, offset, areasOfLevel.get(size) ?? areas, (piece) => append(runs, piece));
    }
  };
  visit(map.root, 0);
  return runs;
}

/** Areas rounded to leaves of `size`: a leaf belongs to the area of its first byte. */
function wholeLeaves(areas: Area[], size: number): Area[] {
  const up = (offset: number): number => Math.ceil(offset / size) * size;
  return areas.every(({ start, end }) => start % size === 0 && end % size === 0)
    ? areas
    : areas
        .map((area) => ({ ...area, start: up(area.start), end: up(area.end) }))
        .filter(({ start, end }) => start < end);
}

/** Appends a run, or extends the last run if the new one continues it. */
function append(runs: PredictedRun[], run: PredictedRun): void {
  const last = runs.at(-1);
  const continues =
    last !== undefined &&
    last.va + BigInt(last.size) === run.va &&
    last.pa + last.size === run.pa &&
    last.level === run.level &&
    last.attributes === run.attributes &&
    last.tableAttributes === run.tableAttributes &&
    last.why === run.why;
  if (continues) last.size += run.size;
  else runs.push(run);
}

/** Every table of the predicted map except the root, in ascending address, upper levels first. */
export function predictedTables(map: LinearMap): PredictedTable[] {
  const found: PredictedTable[] = [];
  const visit = (table: Table): void => {
    for (const below of [...table.tables.values()].sort((a, b) => a.offset - b.offset)) {
      found.push({
        level: below.level,
        va: map.start + BigInt(below.offset),
        attributes: below.descriptor,
      });
      visit(below);
    }
  };
  visit(map.root);
  return found;
}
