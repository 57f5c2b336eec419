// SPDX-License-Identifier: GPL-2.0-only
import { PTE_CONT, PTE_VALID } from '../linux/pgprot.ts';
import { partitionPoint } from '../partition-point.ts';
import { type LinearMap, PROT_NS_SHARED, TABLE, type Table } from './linear-map.ts';
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
 * Cuts `run`, of leaves of `size` bytes, at the borders of areas, rounded up to whole leaves: a leaf
 * belongs to the area of its first byte. Areas are disjoint and ascending; what lies outside them
 * stays as it is.
 */
function cut(
  run: PredictedRun,
  offset: number,
  size: number,
  areas: Area[],
  emit: (run: PredictedRun) => void,
): void {
  const end = offset + run.size;
  const up = (border: number): number => Math.ceil(border / size) * size;
  let at = offset;
  const piece = (to: number, area: Area | undefined): void => {
    if (to <= at) return;
    const delta = at - offset;
    emit({
      ...run,
      va: run.va + BigInt(delta),
      pa: run.pa + delta,
      size: to - at,
      ...(area && {
        why: area.why,
        alternatives: area.alternatives?.(run.attributes) ?? [],
      }),
    });
    at = to;
  };
  for (const area of areasWithin(areas, offset, end)) {
    piece(up(area.start), undefined);
    piece(Math.min(end, up(area.end)), area);
  }
  piece(end, undefined);
}

/** Areas that overlap [start, end), found by binary search, since there may be thousands. */
function areasWithin(areas: Area[], start: number, end: number): Area[] {
  const first = partitionPoint(areas, (area) => area.end <= start);
  let last = first;
  while (last < areas.length && (areas[last] as Area).start < end) last++;
  return areas.slice(first, last);
}

const hierarchical = (table: Table): number => Number((table.descriptor >> 59n) & 0x1fn);

type Kind = Pick<PredictedRun, 'attributes' | 'contiguous' | 'valid'> & { isShared: boolean };

/** What the leaves of a code have in common, worked out once for each code. */
function kindsOf(map: LinearMap): (code: number) => Kind {
  const known = new Map<number, Kind>();
  return (code) => {
    const found = known.get(code);
    if (found) return found;
    const word = map.attributes(code);
    const attributes = word & ~PROT_NS_SHARED;
    const kind = {
      attributes,
      contiguous: (attributes & PTE_CONT) !== 0n,
      valid: (attributes & PTE_VALID) !== 0n,
      isShared: word !== attributes,
    };
    known.set(code, kind);
    return kind;
  };
}

/**
 * The predicted map as runs of equal leaves in ascending address, cut at the borders of `areas`. A
 * leaf larger than an area belongs to the area that its first byte lies in: runs never cut a leaf.
 * @param aliasBit the address bit of shared memory in a realm, as a number
 */
export function leafRuns(map: LinearMap, areas: Area[], aliasBit = 0): PredictedRun[] {
  const runs: PredictedRun[] = [];
  const kindOf = kindsOf(map);
  const visit = (table: Table, inherited: number): void => {
    const size = table.entrySize;
    for (const { code, first, count } of table.runs()) {
      if (code === TABLE) {
        const below = table.tables.get(first) as Table;
        visit(below, inherited | hierarchical(below));
        continue;
      }
      const offset = table.offset + first * size;
      const { attributes, contiguous, valid, isShared } = kindOf(code);
      const run: PredictedRun = {
        va: map.start + BigInt(offset),
        pa: map.physBase + offset + (isShared ? aliasBit : 0),
        size: count * size,
        level: table.level,
        contiguous,
        valid,
        attributes,
        tableAttributes: inherited,
        why: 'memory',
        alternatives: [],
      };
      cut(run, offset, size, areas, (piece) => append(runs, piece));
    }
  };
  visit(map.root, 0);
  return runs;
}

/**
 * Appends a run, or extends the last run if the new one continues it. Physical addresses that
 * follow each other do so in virtual address, too: shared memory, whose have one bit more, lies
 * behind all that is not.
 */
function append(runs: PredictedRun[], run: PredictedRun): void {
  const last = runs.at(-1);
  const continues =
    last !== undefined &&
    last.why === run.why &&
    last.pa + last.size === run.pa &&
    last.level === run.level &&
    last.attributes === run.attributes &&
    last.tableAttributes === run.tableAttributes;
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
