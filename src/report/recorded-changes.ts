// SPDX-License-Identifier: GPL-2.0-only
import { LiveTables, offsetOf } from '../diff/instants/live-tables.ts';
import type { CheckpointName, Evidence, Recording } from '../evidence/capture.ts';
import { chainOf, followRecording, type RecordedMoment } from '../evidence/follow-recording.ts';
import { kernelRegions } from '../linux/kernel-regions.ts';
import { isTable, isValid } from '../vmsa/descriptor.ts';
import { stage1Regime } from '../vmsa/regime.ts';
import { actorOf, kindOf, kinds } from './timeline.ts';

/** A stretch of the kernel's half, in units of 4 KiB from its first address; end exclusive. */
export type Stretch = [from: number, to: number];

/** What one chain of functions did in one slice of time. */
export interface SlicedDeed {
  slice: number;
  /** Entries made, broken, changed, split and others, then TLB invalidations. */
  counts: number[];
  /** Where in the linear map, a few stretches that cover it all. */
  where: Stretch[];
}

/** What happened to the tables, cut into slices of time, for a picture of any part of the boot. */
export interface RecordedChanges {
  /** The ends of the slices, in microseconds since the machine was started. */
  instants: { time: number; checkpoint?: CheckpointName }[];
  rows: { by: string; areas: string[]; deeds: SlicedDeed[] }[];
  /** Chains that are left out, since they did less. */
  more: number;
}

export const changeKinds = [...kinds, 'TLBI'] as const;

/** A slice ends at a checkpoint, or after so many stores or microseconds. */
const sliceStores = 20_000;
const sliceTime = 500_000;
/** Stretches that a deed has at most: more of them are drawn together. */
const mostStretches = 32;
/** A picture of a boot needs no more chains than these, the busiest. */
const mostRows = 40;

const unit = 4096;

/**
 * Cuts a recording into slices.
 * @returns undefined where no checkpoint tells what addresses mean
 */
export function recordedChanges(
  recording: Recording,
  { captures }: Pick<Evidence, 'captures'>,
): RecordedChanges | undefined {
  const registers = captures.at(-1)?.cpus[0]?.registers;
  if (registers === undefined) return undefined;
  const { base, inputBits, granule } = stage1Regime(registers, 'ttbr1');
  const regions = kernelRegions(inputBits, granule);
  const areas = regions.map(({ start, name }) => ({ start: offsetOf(start), name }));
  const linear = { start: offsetOf(base), end: areas[1]?.start ?? 0 };
  const tables = new LiveTables(granule);
  const sheet = new Sheet(recording);
  followRecording(recording, {
    store: (table, index, low, high, now) => {
      sheet.goOn(now, 1);
      tables.stored(table, index, low, high);
      const row = sheet.row(now);
      const deed = sheet.count(row, kinds.indexOf(kindOf(table, index, low)));
      const offset = tables.offset(table, index);
      if (!row.tables.has(table.id)) {
        row.tables.add(table.id);
        const area = areas.findLast(({ start }) => offset >= start)?.name ?? 'elsewhere';
        row.areas.add(table.upper ? area : 'User space');
      }
      if (!table.upper || offset < linear.start || offset >= linear.end) return;
      // Where a table comes and goes, its own entries tell what changes.
      const old = { low: table.words[2 * index] ?? 0 };
      if (isTable(old, table.level) || (!isValid(old) && isTable({ low }, table.level))) return;
      const from = (offset - linear.start) / unit;
      extend(deed.where, from, from + tables.size(table) / unit);
    },
    linked: (table) => tables.link(table),
    unlinked: (table) => tables.unlink(table),
    tlbi: (_, now) => {
      sheet.goOn(now, 0);
      sheet.count(sheet.row(now), kinds.length);
    },
  });
  return sheet.end();
}

/** A row that is being written. */
interface Row {
  by: string;
  areas: Set<string>;
  /** Numbers of tables whose area is known. */
  tables: Set<number>;
  deeds: SlicedDeed[];
}

/** The rows of chains that begin with the same calls. */
interface Chains {
  row?: Row;
  next: Map<number, Chains>;
}

/** Deeds by chain and slice. */
class Sheet {
  readonly #recording: Recording;
  /** By calls; and, outside of all of them, by instructions, which have negative numbers. */
  readonly #chains: Chains = { next: new Map() };
  readonly #rows = new Map<string, Row>();
  readonly #instants: RecordedChanges['instants'] = [];
  #before: CheckpointName | undefined;
  #begun: number | undefined;
  #stores = 0;
  #time = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Something happens: in this slice, or it begins another. */
  goOn({ time, before }: Pick<RecordedMoment, 'time' | 'before'>, stores: number): void {
    this.#begun ??= time;
    if (this.#instants.length === 0 && this.#stores === 0) this.#before = before;
    const full = this.#stores >= sliceStores || time - this.#begun >= sliceTime;
    if (before !== this.#before) this.#cut(this.#before);
    else if (full) this.#cut(undefined);
    this.#before = before;
    this.#stores += stores;
    this.#time = time;
    this.#begun ??= time;
  }

  /** The row of whoever does something: its text is made only once for a chain. */
  row(moment: Pick<RecordedMoment, 'operation' | 'site'>): Row {
    let at = this.#chains;
    if (moment.operation === undefined) at = nextOf(at, -moment.site);
    else for (const { call } of chainOf(moment.operation)) at = nextOf(at, call.number);
    at.row ??= this.#named(actorOf(this.#recording, moment));
    return at.row;
  }

  #named(by: string): Row {
    const row = this.#rows.get(by) ?? { by, areas: new Set(), tables: new Set(), deeds: [] };
    this.#rows.set(by, row);
    return row;
  }

  count({ deeds }: Row, column: number): SlicedDeed {
    const slice = this.#instants.length;
    let deed = deeds.at(-1);
    if (deed?.slice !== slice) {
      deed = { slice, counts: changeKinds.map(() => 0), where: [] };
      deeds.push(deed);
    }
    deed.counts[column] = (deed.counts[column] ?? 0) + 1;
    return deed;
  }

  end(): RecordedChanges {
    this.#cut(this.#before);
    const weight = ({ deeds }: Row) =>
      deeds.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0);
    const rows = [...this.#rows.values()].sort((left, right) => weight(right) - weight(left));
    return {
      instants: this.#instants,
      more: Math.max(0, rows.length - mostRows),
      rows: rows.slice(0, mostRows).map(({ by, areas, deeds }) => ({
        by,
        areas: [...areas].sort(),
        deeds: deeds.map((deed) => ({ ...deed, where: coarse(deed.where) })),
      })),
    };
  }

  #cut(checkpoint: CheckpointName | undefined): void {
    this.#instants.push({ time: this.#time, ...(checkpoint && { checkpoint }) });
    this.#begun = undefined;
    this.#stores = 0;
  }
}

function nextOf({ next }: Chains, number: number): Chains {
  const known = next.get(number) ?? { next: new Map() };
  next.set(number, known);
  return known;
}

/** Most stores follow each other through memory. */
function extend(where: Stretch[], from: number, to: number): void {
  const last = where.at(-1);
  if (last && from >= last[0] && from <= last[1]) last[1] = Math.max(last[1], to);
  else where.push([from, to]);
}

/** Stretches in order, neighbours joined until they are few enough. */
function coarse(stretches: readonly Stretch[]): Stretch[] {
  const sorted = [...stretches].sort(([left], [right]) => left - right);
  for (let gap = 0; ; gap = Math.max(1, 2 * gap)) {
    const joined: Stretch[] = [];
    for (const [from, to] of sorted) {
      const last = joined.at(-1);
      if (last && from - last[1] <= gap) last[1] = Math.max(last[1], to);
      else joined.push([from, to]);
    }
    if (joined.length <= mostStretches) return joined;
  }
}
