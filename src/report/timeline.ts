// SPDX-License-Identifier: GPL-2.0-only
import { hex, secondsText } from '../diff/text.ts';
import { PtdiffError } from '../errors.ts';
import type { CheckpointName, Recording } from '../evidence/capture.ts';
import { followRecording, type RecordedMoment } from '../evidence/follow-recording.ts';
import { chainText, functionOf } from '../evidence/recorded-names.ts';
import { RecordedReach } from '../evidence/recorded-reach.ts';
import type { RecordedTable } from '../evidence/recording-reader.ts';
import { isTable, isValid } from '../vmsa/descriptor.ts';
import { formatCount } from './units.ts';

/** What one chain of functions did to the tables between two checkpoints. */
export interface Deed {
  /** The functions, the innermost first, or the function that stored outside of all of them. */
  by: string;
  /** Entries that became valid, invalid, another leaf, a table in place of a leaf, and others. */
  made: number;
  broken: number;
  changed: number;
  split: number;
  other: number;
  invalidations: number;
}

/** What happened up to a checkpoint, from the one before it on. */
export interface Interval {
  before: CheckpointName | 'the end';
  deeds: Deed[];
}

/** What a store can do to an entry; a deed counts each. */
export const kinds = ['made', 'broken', 'changed', 'split', 'other'] as const;

/** What a store of a descriptor does to an entry, whose table does not have it yet. */
export function kindOf(
  { words, level }: RecordedTable,
  index: number,
  low: number,
): (typeof kinds)[number] {
  const [old, now] = [{ low: words[2 * index] ?? 0 }, { low }];
  if (!isValid(old)) return isValid(now) ? 'made' : 'other';
  if (!isValid(now)) return 'broken';
  if (isTable(old, level)) return 'other';
  return isTable(now, level) ? 'split' : 'changed';
}

/** Who did something: the chain of recorded functions, or the one that it was done in. */
export function actorOf(
  recording: Recording,
  { operation, site }: Pick<RecordedMoment, 'operation' | 'site'>,
): string {
  return chainText(recording, operation) ?? functionOf(recording.sites[site] ?? '');
}

/** What happened to the tables between the checkpoints, by who did it, the busiest first. */
export function timelineOf(recording: Recording): Interval[] {
  const intervals = new Map<CheckpointName | 'the end', Map<string, Deed>>();
  const deedOf = (before: CheckpointName | undefined, by: string): Deed => {
    const deeds = intervals.get(before ?? 'the end') ?? new Map<string, Deed>();
    intervals.set(before ?? 'the end', deeds);
    const nothing = { made: 0, broken: 0, changed: 0, split: 0, other: 0, invalidations: 0 };
    const deed = deeds.get(by) ?? { by, ...nothing };
    deeds.set(by, deed);
    return deed;
  };
  followRecording(recording, {
    store: (table, index, low, _, now) => {
      deedOf(now.before, actorOf(recording, now))[kindOf(table, index, low)]++;
    },
    tlbi: (_, now) => {
      deedOf(now.before, actorOf(recording, now)).invalidations++;
    },
  });
  return [...intervals].map(([before, deeds]) => ({ before, deeds: byWeight(deeds.values()) }));
}

/** A point of the boot from which, or up to which, a timeline is told. */
export type Instant = 'the start' | CheckpointName | 'the end';

/**
 * What happened between two instants as one interval.
 * @throws PtdiffError(usage) where the recording does not have them, or in another order
 */
export function between(intervals: readonly Interval[], from: Instant, to: Instant): Interval {
  const instants: Instant[] = ['the start', ...intervals.map(({ before }) => before)];
  const place = (instant: Instant): number => {
    const at = instants.indexOf(instant);
    if (at >= 0) return at;
    const had = instants.join(', ');
    throw new PtdiffError('usage', `The recording does not have ${instant}; it has ${had}.`);
  };
  // Nothing may happen after the last checkpoint.
  const end = to === 'the end' ? intervals.length : place(to);
  const [first, last] = [place(from), end];
  if (first >= last)
    throw new PtdiffError('usage', `${from} is not before ${to}: --from comes first, then --to.`);
  const sums = new Map<string, Deed>();
  for (const deed of intervals.slice(first, last).flatMap(({ deeds }) => deeds)) {
    const sum = sums.get(deed.by);
    sums.set(deed.by, sum === undefined ? deed : addDeeds(sum, deed));
  }
  return { before: instants[last] as Interval['before'], deeds: byWeight(sums.values()) };
}

function addDeeds(one: Deed, other: Deed): Deed {
  const counts = [...kinds, 'invalidations' as const].map((kind) => [
    kind,
    one[kind] + other[kind],
  ]);
  return { ...one, ...Object.fromEntries(counts) };
}

/** The busiest first. */
function byWeight(deeds: Iterable<Deed>): Deed[] {
  const weight = (deed: Deed) => kinds.reduce((sum, kind) => sum + deed[kind], deed.invalidations);
  return [...deeds].sort((left, right) => weight(right) - weight(left));
}

/** As text, with so many rows for each interval. */
export function formatTimeline(intervals: readonly Interval[], rows: number): string {
  const lines = intervals.flatMap(({ before, deeds }) => {
    const rest = deeds.slice(rows);
    return [
      before === 'the end' ? 'after the last checkpoint' : `up to ${before}`,
      '      made   broken  changed    split    other    TLBI  by',
      ...deeds.slice(0, rows).map(formatDeed),
      ...(rest.length > 0 ? [`  and ${rest.length} more (--full shows them)`] : []),
      '',
    ];
  });
  return lines.join('\n');
}

function formatDeed(deed: Deed): string {
  const numbers = [...kinds.map((kind) => deed[kind]), deed.invalidations];
  const cells = numbers.map((count) => (count === 0 ? '-' : formatCount(count)).padStart(8));
  return ` ${cells.join(' ')}  ${deed.by}`;
}

/** Each change of what one address translates to, as text. */
export function formatLife(
  recording: Recording,
  address: bigint,
  describe: (level: number, low: number, high: number) => string,
): string {
  const lines: string[] = [];
  const reach = new RecordedReach();
  followRecording(recording, reach, {
    store: (table, index, low, high, { time, cpu, before, site, operation }) => {
      const { va, size } = reach.of(table, index);
      if (address < va || address >= va + size || table.upper !== address >> 63n > 0n) return;
      const { level, words } = table;
      const old = describe(level, words[2 * index] ?? 0, words[2 * index + 1] ?? 0);
      lines.push(
        `${secondsText(time)}, CPU ${cpu}, before ${before ?? 'the end'}: ${recording.sites[site]}`,
        `    in ${chainText(recording, operation) ?? 'none of the recorded functions'}`,
        `    level ${level} entry of ${hex(va)}: ${old}`,
        `    becomes ${describe(level, low, high)}`,
      );
    },
  });
  return lines.length === 0
    ? `Nothing that translates ${hex(address)} was changed while a table held it.\n`
    : `${lines.join('\n')}\n`;
}
