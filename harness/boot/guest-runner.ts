// SPDX-License-Identifier: GPL-2.0-only
import { timed } from '../../host/timed.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { StopReply } from '../emulator/gdb.ts';
import { processActivity } from '../emulator/qemu-process.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import type { Watchdog } from './watchdog.ts';

/**
 * Interval between two looks at a running guest: short enough to end a hang in time, long enough to
 * cost nothing.
 */
const lookMilliseconds = 250;

/**
 * Registers that most stops need, read in one round trip: the pc, two arguments, the return
 * address.
 */
const stopRegisters = ['pc', 'x0', 'x1', 'x30'] as const;
type StopRegisters = Record<(typeof stopRegisters)[number], bigint>;

/** A CPU that is stopped at a breakpoint. */
export interface BreakpointStop {
  kind: 'breakpoint';
  thread: string;
  registers: StopRegisters;
}

/** Why a running guest has stopped again. */
export type GuestStop =
  | BreakpointStop
  /** The guest reset or powered off; `reason` is QEMU's, e.g. 'guest-reset'. */
  | { kind: 'shutdown'; reason: string }
  /** The watchdog gave up; `reason` as the end of a sentence. */
  | { kind: 'hang'; reason: string }
  /** `until` returned true. */
  | { kind: 'enough' };

export interface RunOptions {
  /** Where the CPU that stopped last continues, instead of at its pc. */
  resumeAt?: bigint;
  /** Called at every look; true interrupts the guest. */
  until?: () => boolean;
}

/**
 * SIGTRAP and SIGQUIT, with which QEMU's stub reports a breakpoint and RUN_STATE_SHUTDOWN
 * (gdbstub/system.c).
 */
const breakpointSignal = 5;
const shutdownSignal = 3;

/** Runs a guest from stop to stop under the supervision of a watchdog. */
export class GuestRunner {
  readonly #vm: VirtualMachine;
  readonly #timer: NodeJS.Timeout;
  #watchdog: Watchdog;
  #until?: () => boolean;
  /** Why we interrupted the guest. */
  #given?: GuestStop;
  #running = false;

  constructor(vm: VirtualMachine, watchdog: Watchdog) {
    this.#vm = vm;
    this.#watchdog = watchdog;
    this.#timer = setInterval(() => this.#tryToLook(), lookMilliseconds);
  }

  /** Sets other limits from here on. */
  set watchdog(watchdog: Watchdog) {
    this.#watchdog = watchdog;
  }

  /**
   * @throws PtdiffError for a QEMU that is stopped from outside for too long, that does not answer,
   * or that cannot be observed
   */
  async run({ resumeAt, until }: RunOptions = {}): Promise<GuestStop> {
    this.#until = until;
    this.#given = undefined;
    this.#running = true;
    const stop = await timed('booting', () => this.#vm.gdb.resume(resumeAt));
    this.#running = false;
    return this.#given ?? (await this.#explain(stop));
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** If the guest cannot be observed, every wait for it ends. */
  #tryToLook(): void {
    try {
      this.#look();
    } catch (error) {
      clearInterval(this.#timer);
      this.#vm.gdb.abandon(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #look(): void {
    const { console, pid, gdb } = this.#vm;
    console.poll(this.#watchdog.limits.consoleBytes);
    const activity = processActivity(pid);
    // Without activity QEMU is gone, and its sockets show that.
    const reason =
      activity &&
      this.#watchdog.look({
        ...activity,
        wallSeconds: performance.now() / 1000,
        consoleBytes: console.total,
      });
    if (this.#watchdog.stoppedSeconds >= this.#watchdog.limits.idleSeconds) {
      const seconds = this.#watchdog.limits.idleSeconds;
      throw new PtdiffError(
        'host',
        `Something stopped QEMU (SIGSTOP or a debugger) and left it stopped for ${seconds} s.`,
      );
    }
    if (this.#running && this.#given === undefined && (reason !== undefined || this.#until?.())) {
      this.#given = reason === undefined ? { kind: 'enough' } : { kind: 'hang', reason };
      gdb.interrupt();
    }
  }

  async #explain(stop: StopReply): Promise<GuestStop> {
    const { gdb, qmp, events } = this.#vm;
    if (stop.kind === 'stopped' && stop.signal === breakpointSignal) {
      this.#watchdog.progress();
      const registers = (await gdb.readRegisters(stop.thread, stopRegisters)) as StopRegisters;
      return { kind: 'breakpoint', thread: stop.thread, registers };
    }
    if (stop.kind === 'stopped' && stop.signal === shutdownSignal) {
      // A command and its answer; by then the event that explains the stop has arrived.
      await qmp.execute('query-status');
      const event = events.findLast(({ event }) => event === 'SHUTDOWN');
      return { kind: 'shutdown', reason: String(event?.data.reason ?? 'unknown') };
    }
    const what =
      stop.kind === 'exited' ? 'QEMU ended' : `the guest stopped with signal ${stop.signal}`;
    return { kind: 'hang', reason: `${what} for no reason that ptdiff knows` };
  }
}
