// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName, Recording } from '../../evidence/capture.ts';
import type { LinkedEntry } from '../../evidence/recorded-tables.ts';
import { present } from '../../present.ts';
import { stage1Regime } from '../../vmsa/regime.ts';
import { type BootContext, type CheckpointContext, checkpointContext } from '../context.ts';
import { describeDescriptor } from '../describe-descriptor.ts';
import type { Rule } from '../invariants/violation.ts';
import { hex } from '../text.ts';
import { LeafRights, outputOf } from './leaf-rights.ts';
import { LiveTables } from './live-tables.ts';
import { type Instant, Windows } from './window.ts';

/** What the rules about every instant have in common: the boot, its tables, what was found. */
export class Scene {
  readonly boot: BootContext;
  readonly recording: Recording;
  readonly tables: LiveTables;
  readonly windows: Windows;
  /** The last checkpoint: what the kernel's variables became. */
  readonly final: CheckpointContext;
  /** Rights of leaves up to the next checkpoint, in the kernel's half and in user space. */
  upper: LeafRights;
  lower: LeafRights;
  #next: CheckpointContext;
  readonly #contexts: CheckpointContext[];

  /** @param recording of the boot, which reached a checkpoint */
  constructor(boot: BootContext, recording: Recording) {
    this.boot = boot;
    this.recording = recording;
    this.tables = new LiveTables(boot.granule);
    this.windows = new Windows(recording);
    this.#contexts = boot.evidence.captures.map((capture) => checkpointContext(boot, capture));
    this.final = present(this.#contexts.at(-1), 'checkpoint');
    this.#next = this.final;
    [this.upper, this.lower] = [new LeafRights(this.final.regime), this.#lowerRights()];
  }

  /** The checkpoint that is next, or the last one: its registers hold until then. */
  get context(): CheckpointContext {
    return this.#next;
  }

  /** Goes on up to a checkpoint; after the last one, undefined. */
  goOn(checkpoint: CheckpointName | undefined): void {
    const found = this.#contexts.find(({ capture }) => capture.checkpoint === checkpoint);
    this.#next = found ?? this.final;
    this.upper = new LeafRights(this.#next.regime);
    this.lower = this.#lowerRights();
  }

  #lowerRights(): LeafRights {
    const { registers } = present(this.#next.capture.cpus[0], 'CPU');
    return new LeafRights(stage1Regime(registers, 'ttbr0'));
  }

  /** Physical address of a leaf's memory, without the alias bit of a realm. */
  memoryOf(level: number, low: number, high: number): number {
    const pa = outputOf(level, low, high);
    const { aliasBit } = this.boot;
    return aliasBit > 0 && pa >= aliasBit ? pa - aliasBit : pa;
  }

  /** A leaf breaks a rule. */
  found(rule: Rule, { table, index, low, high }: LinkedEntry, moment: Instant): void {
    const { regime } = this.#next;
    const va = this.tables.address(table, index);
    const what = `${hex(va)}: ${describeDescriptor(regime, table.level, low, high)}`;
    const opened = this.windows.actOf(moment);
    this.windows.open(table, index, { rule, what, size: this.tables.size(table), opened });
  }
}
