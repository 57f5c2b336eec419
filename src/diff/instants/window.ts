// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName, Recording } from '../../evidence/capture.ts';
import type { RecordedMoment } from '../../evidence/follow-recording.ts';
import { chainText } from '../../evidence/recorded-names.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import type { Rule } from '../invariants/violation.ts';

/** Who did something to the tables, and when. */
export interface Act {
  /** Microseconds since the machine was started. */
  time: number;
  cpu: number;
  /** The instruction, as function+offset, and the recorded functions that it belongs to. */
  by: string;
  before: CheckpointName | undefined;
}

/** A moment; or the return of its innermost function. */
export interface Instant
  extends Pick<RecordedMoment, 'cpu' | 'time' | 'site' | 'before' | 'operation'> {
  returned?: true;
}

/** The moment at which the innermost function returns. */
export function returnAt({ cpu, time, site, before, operation }: RecordedMoment): Instant {
  return { cpu, time, site, before, operation, returned: true };
}

/** What one rule says of one moment, and for how long that was so. */
export interface Window {
  rule: Rule;
  /** The leaf, in words. */
  what: string;
  /** Bytes that it translates. */
  size: number;
  opened: Act;
  /** Absent where it lasted until the recording's end. */
  closed?: Act;
}

/** Numbers of a slot: a table has at most 8192 entries. */
const slotOf = (table: RecordedTable, index: number): number => table.id * 8192 + index;

/** The violations of one recording: those that last, and all that were. */
export class Windows {
  readonly all: Window[] = [];
  readonly #recording: Recording;
  readonly #open = new Map<number, Window[]>();

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Whether any lasts: asked for every store. */
  get anyOpen(): boolean {
    return this.#open.size > 0;
  }

  actOf({ time, cpu, site, operation, before, returned }: Instant): Act {
    const place = this.#recording.sites[site] ?? '?';
    const functions = chainText(this.#recording, operation);
    const from = returned ? 'the return of' : `${place} in`;
    return { time, cpu, by: functions === undefined ? place : `${from} ${functions}`, before };
  }

  /** A leaf breaks a rule from now on; told once for as long as it does. */
  open(table: RecordedTable, index: number, found: Omit<Window, 'closed'>): void {
    const slot = slotOf(table, index);
    const windows = this.#open.get(slot) ?? [];
    this.#open.set(slot, windows);
    if (windows.some(({ rule }) => rule.nature === found.rule.nature)) return;
    const window: Window = { ...found };
    windows.push(window);
    this.all.push(window);
  }

  /** An entry changed: what is still wrong with it is opened again. */
  close(table: RecordedTable, index: number, now: Instant): void {
    const slot = slotOf(table, index);
    const windows = this.#open.get(slot);
    if (windows === undefined) return;
    const closed = this.actOf(now);
    for (const window of windows) window.closed = closed;
    this.#open.delete(slot);
  }

  /** A table is no longer one. */
  closeAll(table: RecordedTable, now: Instant): void {
    for (const slot of [...this.#open.keys()])
      if (Math.floor(slot / 8192) === table.id) this.close(table, slot % 8192, now);
  }
}
