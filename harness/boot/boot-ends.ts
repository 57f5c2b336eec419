// SPDX-License-Identifier: GPL-2.0-only
import type { BootEnd, EarlyEnd } from '../../src/evidence/capture.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import { describeStuck, hasFinishedPanic, type PanicWatch, panicMessage } from './guest-failure.ts';
import type { GuestRunner, GuestStop } from './guest-runner.ts';
import { monitorHasPanicked, throwMonitorPanic } from './monitor-witness.ts';
import { Watchdog } from './watchdog.ts';

/** How a boot ends that does not get to where it should. */
export class BootEnds {
  readonly #boot: BootInProgress;
  readonly #panic: PanicWatch;
  readonly #watchdog: Watchdog;

  constructor(boot: BootInProgress, panic: PanicWatch, watchdog: Watchdog) {
    this.#boot = boot;
    this.#panic = panic;
    this.#watchdog = watchdog;
  }

  /** Whether the kernel or the monitor has begun to panic. */
  begun(): boolean {
    const { monitor } = this.#boot.vm;
    return this.#panic.begun() || (monitor !== undefined && monitorHasPanicked(monitor));
  }

  /** A guest that stopped because of the monitor is not evidence. */
  checkMonitor({ kind }: GuestStop): void {
    const { monitor } = this.#boot.vm;
    if (monitor && kind !== 'breakpoint') {
      throwMonitorPanic(monitor);
    }
  }

  async at(stop: Extract<GuestStop, { kind: 'shutdown' | 'hang' }>): Promise<BootEnd> {
    const { vm, kernel } = this.#boot;
    if (stop.kind === 'hang')
      return this.#ended('hang', `${stop.reason}; ${await describeStuck(vm, kernel)}`);
    return this.#panic.begun()
      ? this.#panicked()
      : this.#ended('died', `the guest ended (${stop.reason}) before its init was ready`);
  }

  /** Lets a panicking kernel print its complete message. */
  async lastWords(runner: GuestRunner): Promise<BootEnd> {
    const { console } = this.#boot.vm;
    runner.watchdog = new Watchdog({ ...this.#watchdog.limits, cpuSeconds: 5, idleSeconds: 5 });
    await runner.run({ until: () => hasFinishedPanic(console.text()) });
    return this.#panicked();
  }

  async #panicked(): Promise<BootEnd> {
    const { vm, kernel } = this.#boot;
    vm.console.poll(this.#watchdog.limits.consoleBytes);
    const message = panicMessage(vm.console.text());
    return this.#ended(
      'panic',
      message ?? `without a word on its console; ${await describeStuck(vm, kernel)}`,
    );
  }

  #ended(kind: EarlyEnd, reason: string): BootEnd {
    const lastCheckpoint = this.#boot.evidence.captures.at(-1)?.checkpoint;
    return { kind, reason, ...(lastCheckpoint && { lastCheckpoint }) };
  }
}
