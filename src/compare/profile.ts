// SPDX-License-Identifier: GPL-2.0-only
import type { Geometry } from '../linux/geometry.ts';
import { type LeafKind, leafKind } from '../linux/leaf-kind.ts';
import { PMD_TABLE_BIT, PTE_CONT } from '../linux/pgprot.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { type Area, MEMORY, type PlacedMap, type PlacedRun, type Range } from './places.ts';
import { type Tile, tile } from './tile.ts';

/** Memory around pages that were changed individually: blocks may be split there. */
export const SPLIT_MEMORY = 'memory around single pages';
/** Leaves of a realm whose output address has the alias bit. */
export const SHARED = 'memory shared with the host';

/** How one part of memory is mapped, without any address. */
export interface AreaProfile {
  /** Bytes by the largest kind of leaf that fits, and by the kind that is used. */
  sizes: Map<LeafKind, Map<LeafKind, number>>;
  /** Leaves for each set of attributes, by attributes; sizes are separate. */
  attributes: Map<string, { sample: LeafRun; bytes: number }>;
}

/** Profiles of the parts of one map by their names. */
type Profile = Map<string, AreaProfile>;

/** Attributes that do not follow from the size of the leaf. */
function attributesKey({ attributes, valid, tableAttributes }: LeafRun): string {
  return `${valid} ${attributes & ~PTE_CONT & ~PMD_TABLE_BIT} ${tableAttributes}`;
}

const order: LeafKind[] = ['page', 'contPte', 'pmd', 'contPmd', 'pud'];

function add(
  profile: Profile,
  name: string,
  possible: LeafKind,
  { run }: PlacedRun,
  bytes: number,
): void {
  const area = profile.get(name) ?? { sizes: new Map(), attributes: new Map() };
  profile.set(name, area);
  const actual = leafKind(run);
  // A leaf may reach beyond the border of an area; then it is as large as possible.
  const fits = order.indexOf(possible) > order.indexOf(actual) ? possible : actual;
  const row = area.sizes.get(fits) ?? new Map<LeafKind, number>();
  row.set(actual, (row.get(actual) ?? 0) + bytes);
  area.sizes.set(fits, row);
  const key = attributesKey(run);
  const entry = area.attributes.get(key) ?? { sample: run, bytes: 0 };
  entry.bytes += bytes;
  area.attributes.set(key, entry);
}

/**
 * The parts of a tile that contain touched pages, leaf by leaf, and the parts that do not;
 * neighbours of one kind are joined.
 */
function cutTouched(each: Tile, touched: readonly Range[]): (Range & { split: boolean })[] {
  const blocks = new Set<number>();
  for (const { start, end } of touched) {
    // A split exactly at the border of a leaf splits nothing.
    const inside = start === end ? start > each.start && start % each.size !== 0 : end > each.start;
    if (!inside || start >= each.end) continue;
    const first = Math.max(0, Math.floor((start - each.start) / each.size));
    const last = Math.floor(
      (Math.min(each.end, Math.max(start + 1, end)) - 1 - each.start) / each.size,
    );
    for (let block = first; block <= last; block++) blocks.add(block);
  }
  const parts: (Range & { split: boolean })[] = [];
  let at = each.start;
  for (const block of [...blocks].sort((left, right) => left - right)) {
    const start = each.start + block * each.size;
    if (start > at) parts.push({ start: at, end: start, split: false });
    parts.push({ start, end: start + each.size, split: true });
    at = start + each.size;
  }
  if (at < each.end) parts.push({ start: at, end: each.end, split: false });
  return parts;
}

/** Ranges of an area that are mapped: holes in RAM end a range. */
function mappedRanges(area: Area, runs: readonly PlacedRun[]): Range[] {
  const ranges: Range[] = [];
  for (const { start, end } of runs) {
    if (end <= area.start || start >= area.end) continue;
    const range = { start: Math.max(start, area.start), end: Math.min(end, area.end) };
    const last = ranges.at(-1);
    if (last?.end === range.start) last.end = range.end;
    else ranges.push(range);
  }
  return ranges;
}

/** The name under which a leaf counts. */
function nameOf(area: Area, split: boolean, { run, start }: PlacedRun): string {
  if (run.pa !== start) return SHARED;
  return area.name === MEMORY && split ? SPLIT_MEMORY : area.name;
}

/** Areas of the map; what lies between them is memory. */
function withGaps(areas: readonly Area[], runs: readonly PlacedRun[]): Area[] {
  const all: Area[] = [];
  let at = Math.min(areas[0]?.start ?? 0, runs[0]?.start ?? 0);
  for (const area of areas) {
    if (area.start > at) all.push({ start: at, end: area.start, name: MEMORY });
    all.push(area);
    at = area.end;
  }
  const end = runs.at(-1)?.end ?? at;
  if (end > at) all.push({ start: at, end, name: MEMORY });
  return all;
}

/** Stretches of memory, with what fits there and whether single pages were touched; ascending. */
export function stretches(
  map: PlacedMap,
  geometry: Geometry,
): (Range & { area: Area; kind: LeafKind; split: boolean })[] {
  return withGaps(map.areas, map.runs).flatMap((area) =>
    mappedRanges(area, map.runs).flatMap((range) =>
      tile(range, geometry).flatMap((each) =>
        cutTouched(each, map.touched).map((part) => ({ ...part, area, kind: each.kind })),
      ),
    ),
  );
}

/**
 * How a map is built, in terms that do not change when things only move: which leaves are used
 * where which would fit.
 */
export function profileOf(map: PlacedMap, geometry: Geometry): Profile {
  const profile: Profile = new Map();
  let at = 0;
  for (const { start, end, area, kind, split } of stretches(map, geometry)) {
    while (at < map.runs.length && (map.runs[at] as PlacedRun).end <= start) at++;
    for (let i = at; i < map.runs.length; i++) {
      const placed = map.runs[i] as PlacedRun;
      if (placed.start >= end) break;
      const bytes = Math.min(end, placed.end) - Math.max(start, placed.start);
      add(profile, nameOf(area, split, placed), kind, placed, bytes);
    }
  }
  return profile;
}
