// SPDX-License-Identifier: GPL-2.0-only
import { hex } from '../diff/text.ts';
import type { CheckpointName, Recording } from '../evidence/capture.ts';
import { followRecording, type RecordedStore } from '../evidence/follow-recording.ts';
import { chainText, functionOf } from '../evidence/recorded-names.ts';
import { type Descriptor, isTable, isValid } from '../vmsa/descriptor.ts';
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

const kinds = ['made', 'broken', 'changed', 'split', 'other'] as const;

function kindOf({ table, old, new: now }: RecordedStore): (typeof kinds)[number] {
  if (!isValid(old)) return isValid(now) ? 'made' : 'other';
  if (!isValid(now)) return 'broken';
  if (isTable(old, table.level)) return 'other';
  return isTable(now, table.level) ? 'split' : 'changed';
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
    store: (store) => {
      const by =
        chainText(recording, store.chain()) ?? functionOf(recording.sites[store.site] ?? '');
      deedOf(store.before, by)[kindOf(store)]++;
    },
    tlbi: ({ site, chain, before }) => {
      const by = chainText(recording, chain()) ?? functionOf(recording.sites[site] ?? '');
      deedOf(before, by).invalidations++;
    },
  });
  const weight = (deed: Deed) => kinds.reduce((sum, kind) => sum + deed[kind], deed.invalidations);
  return [...intervals].map(([before, deeds]) => ({
    before,
    deeds: [...deeds.values()].sort((left, right) => weight(right) - weight(left)),
  }));
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
  followRecording(recording, {
    store: (store) => {
      const { va, size } = store.reach();
      if (address < va || address >= va + size || store.table.upper !== address >> 63n > 0n) return;
      const { level } = store.table;
      const text = ({ low, high }: Descriptor) => describe(level, low, high);
      lines.push(
        `${(store.time / 1e6).toFixed(6)} s, CPU ${store.cpu}, before ${store.before ?? 'the end'}: ${recording.sites[store.site]}`,
        `    in ${chainText(recording, store.chain()) ?? 'none of the recorded functions'}`,
        `    level ${level} entry of ${hex(va)}: ${text(store.old)}`,
        `    becomes ${text(store.new)}`,
      );
    },
  });
  return lines.length === 0
    ? `Nothing that translates ${hex(address)} was changed while a table held it.\n`
    : `${lines.join('\n')}\n`;
}
