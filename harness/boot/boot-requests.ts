// SPDX-License-Identifier: GPL-2.0-only
import type { RequestCollector } from '../../src/evidence/recorded-requests.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import type { CaseSetup } from './case-setup.ts';
import type { StopPlan } from './checkpoints.ts';
import type { ImageAnchor } from './image-anchor.ts';
import { recordSharing } from './record-sharing.ts';
import { hasLeavesToSplit, recordSplits } from './record-splits.ts';
import { takeRequests } from './take-requests.ts';

/**
 * What the kernel is asked to do to its linear map while it boots: from the recording where that
 * tells all of it, otherwise from breakpoints.
 */
export class BootRequests {
  readonly #setup: CaseSetup;
  readonly #anchor: ImageAnchor;
  readonly #boot: BootInProgress;
  readonly #collector: RequestCollector | undefined;

  /** @param collector of a recording that has all requests */
  constructor(
    setup: CaseSetup,
    anchor: ImageAnchor,
    boot: BootInProgress,
    collector: RequestCollector | undefined,
  ) {
    this.#setup = setup;
    this.#anchor = anchor;
    this.#boot = boot;
    this.#collector = collector;
  }

  /** From the first checkpoint on: sets the breakpoints that are needed. */
  async watch(plan: StopPlan): Promise<void> {
    if (this.#collector) return;
    if (this.#setup.machine.world === 'realm') await recordSharing(this.#boot, plan);
    const { split } = this.#anchor;
    if (split && this.#maySplit())
      await recordSplits(this.#boot, plan, split, this.#mayGroupProtection());
  }

  /** At the end: puts into the evidence what a recording tells. */
  take(): void {
    if (this.#collector === undefined) return;
    takeRequests(this.#boot, this.#collector, {
      world: this.#setup.machine.world,
      splits: this.#anchor.split !== undefined && this.#maySplit(),
      groupsProtection: this.#mayGroupProtection(),
    });
  }

  /** If a kernel was not observed at paging_init(), every request is recorded. */
  #maySplit(): boolean {
    const { evidence, kernel } = this.#boot;
    const [capture] = evidence.captures;
    return !capture || hasLeavesToSplit(capture, evidence.image, kernel.symbols);
  }

  /**
   * Another CPU could request a split during the call of set_memory_ro(), and that would be missed.
   */
  #mayGroupProtection(): boolean {
    const variables = this.#boot.evidence.captures[0]?.variables;
    return (
      this.#setup.groupProtection === true &&
      this.#setup.machine.cpus === 1 &&
      variables?.rodata_full === 1n
    );
  }
}
