// SPDX-License-Identifier: GPL-2.0-only
import type { Grade } from '../diff/split-history/explain.ts';
import { structureSize } from '../diff/split-history/structure.ts';
import type { LinearMapSizes } from '../diff/types.ts';
import { geometryOf } from '../linux/geometry.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import { parseDirectMap } from '../linux/meminfo.ts';
import type { Granule } from '../vmsa/types.ts';

/** One judged archive, as far as a fleet is about it. */
export interface FleetBoard {
  label: string;
  release: string;
  granule: Granule;
  /** Seconds since it was booted; null where that is not known. */
  uptime: number | null;
  grade: Grade;
  /** Points at which it was split before anybody looked. */
  splits: number;
  /** Bytes of its linear map by kind of leaf, as found and as its kernel made it at boot. */
  actual: LinearMapSizes;
  predicted: LinearMapSizes;
  /** /proc/meminfo, where the archive has it. */
  meminfo?: string;
}

/** The kinds of leaves, the largest first. */
export const fleetKinds = ['pud', 'contPmd', 'pmd', 'contPte', 'page'] as const;

/** What the leaves of a linear map cost. */
export interface FleetRow extends Omit<FleetBoard, 'meminfo'> {
  /** TLB entries that cover everything valid: one for each block, page or contiguous group. */
  entries: number;
  /** The same for the map that the kernel made at boot. */
  entriesAtBoot: number;
  /** How many times as many. */
  factor: number;
  /** Where the kernel's own DirectMap lines say something else; absent where it has none. */
  directMap?: DirectMapDifference[];
}

export interface DirectMapDifference {
  kind: LeafKind;
  /** Bytes by the kernel's count, and in its tables. */
  counted: number;
  found: number;
}

/** Boards with similar uptimes. */
export interface FleetAge {
  name: string;
  boards: number;
  /** Share of valid memory by kind of leaf, 0 to 1, over all of them. */
  shares: Record<LeafKind, number>;
  /** Median of their factors. */
  factor: number;
}

export interface Fleet {
  /** By uptime, the shortest first; unknown uptimes last. */
  rows: FleetRow[];
  ages: FleetAge[];
}

/** TLB entries that cover the valid memory of a linear map. */
function entriesOf(sizes: LinearMapSizes, granule: Granule): number {
  const geometry = geometryOf(granule);
  return fleetKinds.reduce((sum, kind) => sum + sizes[kind] / structureSize(geometry, kind), 0);
}

/**
 * Where the kernel's count differs from its tables. It counts leaves that are not valid by their
 * kind, too, which the sizes do not: as many bytes are no difference.
 */
function directMapOf(
  { actual, granule }: FleetBoard,
  meminfo: string,
): DirectMapDifference[] | undefined {
  const counts = parseDirectMap(meminfo);
  if (counts.size === 0) return undefined;
  const geometry = geometryOf(granule);
  return fleetKinds.flatMap((kind) => {
    const counted = counts.get(structureSize(geometry, kind));
    const found = actual[kind];
    const agrees = counted === undefined || (counted >= found && counted - found <= actual.invalid);
    return agrees ? [] : [{ kind, counted, found }];
  });
}

function rowOf(board: FleetBoard): FleetRow {
  const { meminfo, ...row } = board;
  const entries = entriesOf(board.actual, board.granule);
  const entriesAtBoot = entriesOf(board.predicted, board.granule);
  const directMap = meminfo === undefined ? undefined : directMapOf(board, meminfo);
  return {
    ...row,
    ...{ entries, entriesAtBoot, factor: entriesAtBoot === 0 ? 1 : entries / entriesAtBoot },
    ...(directMap && { directMap }),
  };
}

const day = 24 * 3600;

/** Ages of a fleet: the name, and uptimes below which they end, in seconds. */
const ages: [name: string, end: number][] = [
  ['below 1 hour', 3600],
  ['below 1 day', day],
  ['below 1 week', 7 * day],
  ['below 30 days', 30 * day],
  ['30 days and more', Number.POSITIVE_INFINITY],
];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return (low + high) / 2;
}

function ageOf(name: string, rows: readonly FleetRow[]): FleetAge {
  const bytes = (kind: LeafKind): number => rows.reduce((sum, row) => sum + row.actual[kind], 0);
  const total = fleetKinds.reduce((sum, kind) => sum + bytes(kind), 0);
  const shareOf = (kind: LeafKind): number => (total === 0 ? 0 : bytes(kind) / total);
  return {
    name,
    boards: rows.length,
    shares: {
      pud: shareOf('pud'),
      contPmd: shareOf('contPmd'),
      pmd: shareOf('pmd'),
      contPte: shareOf('contPte'),
      page: shareOf('page'),
    },
    factor: median(rows.map(({ factor }) => factor)),
  };
}

/** How far the linear maps of some machines are fragmented, and what that costs, over uptime. */
export function fleetOf(boards: readonly FleetBoard[]): Fleet {
  const late = Number.POSITIVE_INFINITY;
  const rows = boards
    .map(rowOf)
    .sort((a, b) => ((a.uptime ?? late) < (b.uptime ?? late) ? -1 : Number(a.uptime !== b.uptime)));
  const ageIndex = ({ uptime }: FleetRow): number =>
    uptime === null ? -1 : ages.findIndex(([, end]) => uptime < end);
  const groups = Map.groupBy(rows, ageIndex);
  return {
    rows,
    ages: ages.flatMap(([name], index) => {
      const group = groups.get(index);
      return group === undefined ? [] : [ageOf(name, group)];
    }),
  };
}
