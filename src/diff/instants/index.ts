// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from '../../evidence/capture.ts';
import {
  followRecording,
  type RecordedMoment,
  type RecordedOperation,
  type RecordingFollower,
} from '../../evidence/follow-recording.ts';
import { registerOf } from '../../evidence/recorded-registers.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { isLeaf } from '../../vmsa/descriptor.ts';
import type { BootContext, BootInvariant } from '../context.ts';
import type { Finding } from '../types.ts';
import { AskedLeaves } from './asked-leaves.ts';
import { CallTimes } from './call-times.ts';
import { findingsOf } from './findings.ts';
import { KernelLeaves } from './kernel-leaves.ts';
import { visitLeaves } from './live-tables.ts';
import { Scene } from './scene.ts';
import { UserLeaves } from './user-leaves.ts';
import { type Instant, returnAt } from './window.ts';

/**
 * Rules that hold at every instant of a boot that was recorded, not only at its checkpoints. What
 * an address means comes from the boot; nothing of it is predicted.
 */
export class InstantRules implements RecordingFollower {
  readonly #scene: Scene;
  readonly #kernel: KernelLeaves;
  readonly #user: UserLeaves;
  readonly #asked: AskedLeaves;
  readonly #times: CallTimes;
  /** By the number of a function: half of all calls are of __set_fixmap(), which no rule asks for. */
  readonly #heeded: readonly boolean[];
  /** The checkpoint that comes next, as the last store had it. */
  #next: RecordedMoment['before'];

  /** @param boot which reached a checkpoint */
  constructor(boot: BootContext, recording: Recording) {
    const scene = new Scene(boot, recording);
    this.#scene = scene;
    this.#kernel = new KernelLeaves(scene);
    this.#user = new UserLeaves(scene);
    this.#asked = new AskedLeaves(scene);
    this.#times = new CallTimes(scene);
    this.#next = recording.moments[0]?.checkpoint;
    scene.goOn(this.#next);
    this.#heeded = recording.functions.map(({ name }) =>
      [KernelLeaves, AskedLeaves, CallTimes].some((rules) => rules.heeds(name)),
    );
  }

  get findings(): Finding[] {
    return findingsOf(this.#scene.windows.all);
  }

  store(table: RecordedTable, index: number, low: number, high: number, now: RecordedMoment): void {
    const { tables, windows } = this.#scene;
    if (now.before !== this.#next) {
      this.#next = now.before;
      this.#scene.goOn(this.#next);
    }
    tables.stored(table, index, low, high);
    if (windows.anyOpen) windows.close(table, index, now);
    if (table.upper) this.#kernel.changed(table, index);
    else {
      const [oldLow, oldHigh] = [table.words[2 * index] ?? 0, table.words[2 * index + 1] ?? 0];
      const old = { table, index, low: oldLow, high: oldHigh };
      this.#user.changed(old, { table, index, low, high }, now);
    }
    if (isLeaf({ low }, table.level)) this.#leaf(table, index, low, high, now);
  }

  linked(each: RecordedTable, now: RecordedMoment): void {
    this.#scene.tables.link(each);
    visitLeaves(each, (table, index, low, high) => this.#leaf(table, index, low, high, now));
    this.#user.linked(each, now);
  }

  unlinked(table: RecordedTable, now: RecordedMoment): void {
    this.#user.unlinked(table);
    this.#scene.windows.closeAll(table, now);
    this.#scene.tables.unlink(table);
  }

  register(value: bigint, { insn, cpu }: RecordedMoment): void {
    if (registerOf(insn) !== 'TTBR1_EL1') return;
    this.#asked.root(cpu, value);
    this.#times.root(cpu);
  }

  entered(operation: RecordedOperation, now: RecordedMoment): void {
    if (!this.#heeded[operation.call.listed] && !this.#kernel.isPatching) return;
    this.#kernel.entered(operation, now);
    this.#times.entered(operation, now);
  }

  left(operation: RecordedOperation, now: RecordedMoment): void {
    if (!this.#heeded[operation.call.listed]) return;
    const moment = returnAt(now);
    this.#kernel.returned(operation, moment);
    this.#asked.returned(operation, moment);
    this.#times.returned(operation);
  }

  #leaf(table: RecordedTable, index: number, low: number, high: number, now: Instant): void {
    if (table.upper) this.#kernel.leaf(table, index, low, high, now);
    else this.#kernel.lowerLeaf(table, index, low, high, now);
  }
}

/** The rules of every instant for a whole boot: see InstantRules. */
export const everyInstant: BootInvariant = (boot) => {
  const { recording, captures } = boot.evidence;
  if (recording === undefined || captures.length === 0) return [];
  const rules = new InstantRules(boot, recording);
  followRecording(recording, rules);
  return rules.findings;
};
