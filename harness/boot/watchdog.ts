// SPDX-License-Identifier: GPL-2.0-only
import type { ThreadSeconds } from '../emulator/qemu-process.ts';
import type { WatchdogLimits } from './case-setup.ts';

/**
 * A kernel is silent for at most some seconds of emulated work, and reaches its next stop within a
 * minute; these limits are an order of magnitude higher.
 */
export const defaultLimits: WatchdogLimits = {
  cpuSeconds: 60,
  idleSeconds: 60,
  stalledSeconds: 300,
  consoleBytes: 32 << 20,
};

/**
 * Seconds. If two looks are further apart, the harness itself was not running, and it is not known
 * yet what the guest did.
 */
const longestGap = 5;

/** What one look at a running guest shows. */
export interface GuestSample {
  /** CPU time that each thread of QEMU, hence each CPU of the guest, has used since it started. */
  worked: ThreadSeconds;
  /** A thread of QEMU runs or waits for a host CPU. */
  runnable: boolean;
  /** QEMU was stopped from outside; that time does not count for the guest. */
  stopped?: boolean;
  /** Wall clock in seconds, from any fixed start. */
  wallSeconds: number;
  consoleBytes: number;
}

/**
 * Distinguishes a guest that hangs from one that works by its progress: console output and stops. A
 * busy guest is judged by QEMU's CPU time, so that a loaded host does not look like a hang, and by
 * its busiest thread, so that CPUs that spin for a lock do not use up the time of the one that
 * holds it. An idle guest is judged by the time during which it needed no CPU. A guest that does
 * nothing but print, like a driver that retries for ever, is given up later.
 */
export class Watchdog {
  /**
   * Seconds for which QEMU has been stopped from outside, as far as it was observed; and the
   * longest such time.
   */
  stoppedSeconds = 0;
  longestStop = 0;
  readonly limits: WatchdogLimits;
  #atProgress: ThreadSeconds = new Map();
  #idle = 0;
  #atStop: ThreadSeconds = new Map();
  #idleSinceStop = 0;
  #last?: GuestSample;

  constructor(limits: WatchdogLimits = defaultLimits) {
    this.limits = limits;
  }

  /** The guest did something that was awaited: a checkpoint, a breakpoint, a record. */
  progress(): void {
    this.#spoke();
    this.#atStop = this.#atProgress;
    this.#idleSinceStop = 0;
  }

  #spoke(): void {
    this.#atProgress = this.#last?.worked ?? new Map();
    this.#idle = 0;
  }

  /** Why to give up the guest, as the end of a sentence; undefined while there is hope. */
  look(sample: GuestSample): string | undefined {
    const last = this.#last ?? { runnable: true, wallSeconds: sample.wallSeconds, consoleBytes: 0 };
    this.#last = sample;
    if (sample.consoleBytes >= this.limits.consoleBytes) {
      return `it printed more than ${this.limits.consoleBytes >> 20} MiB on its console`;
    }
    const passed = Math.min(sample.wallSeconds - last.wallSeconds, longestGap);
    this.stoppedSeconds = sample.stopped ? this.stoppedSeconds + passed : 0;
    this.longestStop = Math.max(this.longestStop, this.stoppedSeconds);
    if (!sample.runnable && !last.runnable && !sample.stopped && !last.stopped) {
      this.#idle += passed;
      this.#idleSinceStop += passed;
    }
    if (mostWork(this.#atStop, sample.worked) + this.#idleSinceStop >= this.limits.stalledSeconds) {
      return `it kept printing, but made no progress in ${this.limits.stalledSeconds} s`;
    }
    if (sample.consoleBytes > last.consoleBytes) {
      this.#spoke();
      return undefined;
    }
    if (mostWork(this.#atProgress, sample.worked) >= this.limits.cpuSeconds) {
      return `it worked for ${this.limits.cpuSeconds} s of CPU time without any progress`;
    }
    if (this.#idle >= this.limits.idleSeconds) {
      return `it idled for ${this.limits.idleSeconds} s`;
    }
    return undefined;
  }
}

/** The CPU time in seconds that the busiest thread used between two looks. */
function mostWork(before: ThreadSeconds, now: ThreadSeconds): number {
  return Math.max(0, ...[...now].map(([thread, seconds]) => seconds - (before.get(thread) ?? 0)));
}
