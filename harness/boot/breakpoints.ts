// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import type { BootEnd } from '../../src/evidence/capture.ts';
import type { GdbClient } from '../emulator/gdb.ts';
import type { BreakpointStop, RunOptions } from './guest-runner.ts';

/** What to do at a stop: ends the boot, or says how to continue. */
type Handler = (stop: BreakpointStop) => Promise<BootEnd | RunOptions>;

/** The breakpoints of a boot, and their handlers. A stop on any CPU stops all of them. */
export class Breakpoints {
  readonly #gdb: GdbClient;
  readonly #handlers = new Map<bigint, Handler>();
  /** Run addresses at which the guest currently stops. */
  readonly #set = new Set<bigint>();
  /** Bytes from a symbol's link address to its run address. */
  slide = 0n;

  constructor(gdb: GdbClient) {
    this.#gdb = gdb;
  }

  /** Calls the handler of a stop. */
  async handle(stop: BreakpointStop): Promise<BootEnd | RunOptions> {
    const { pc } = stop.registers;
    const handler = this.#handlers.get(pc);
    if (handler === undefined) {
      throw new PtdiffError(
        'emulator',
        `The guest stopped at 0x${pc.toString(16)}, where there is no breakpoint.`,
      );
    }
    return handler(stop);
  }

  /** Stops every time a run address is reached; the handler must step over it. */
  async always(address: bigint, handler: Handler): Promise<void> {
    this.#handlers.set(address, handler);
    await this.#insert(address);
  }

  /** Stops only the next time a run address is reached. */
  async once(address: bigint, handler: Handler): Promise<void> {
    await this.always(address, async (stop) => {
      await this.#remove(address);
      return handler(stop);
    });
  }

  /** The same by link address; a symbol that the kernel does not have is never reached. */
  async alwaysAtSymbol(link: bigint | undefined, handler: Handler): Promise<void> {
    if (link !== undefined) await this.always(link + this.slide, handler);
  }

  async onceAtSymbol(link: bigint | undefined, handler: Handler): Promise<void> {
    if (link !== undefined) await this.once(link + this.slide, handler);
  }

  /** Removes all breakpoints, before the machine is handed over. */
  async clear(): Promise<void> {
    const set = [...this.#set];
    for (const address of set) await this.#remove(address);
  }

  async #insert(address: bigint): Promise<void> {
    await this.#gdb.insertBreakpoint(address);
    this.#set.add(address);
  }

  async #remove(address: bigint): Promise<void> {
    await this.#gdb.removeBreakpoint(address);
    this.#set.delete(address);
  }

  /** Disables a breakpoint until another address is reached. */
  async pause(address: bigint, until: bigint): Promise<void> {
    await this.#remove(address);
    await this.once(until, async () => {
      await this.#insert(address);
      return {};
    });
  }
}
