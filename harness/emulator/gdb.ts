// SPDX-License-Identifier: GPL-2.0-only
import type { Socket } from 'node:net';
import { PtdiffError } from '../../src/errors.ts';
import { Wire } from './gdb-wire.ts';
import { parseTargetDescription, type TargetRegister } from './target-description.ts';

/** Why the guest stopped: at a breakpoint or a step, by our interrupt, or because QEMU ended. */
export type StopReply =
  | { kind: 'stopped'; signal: number; thread: string }
  | { kind: 'exited'; detail: string };

/** A step that has not happened after this many tries never will. */
const mostSteps = 100;

/**
 * Client of QEMU's GDB stub ("GDB Remote Serial Protocol", all-stop mode without acknowledgements).
 * Requests may be sent without waiting for the answers of earlier ones: the stub answers in order.
 * While the guest runs, only interrupt() may be sent.
 */
export class GdbClient {
  readonly registers: Map<string, TargetRegister>;
  readonly #wire: Wire;

  private constructor(wire: Wire, registers: Map<string, TargetRegister>) {
    this.#wire = wire;
    this.registers = registers;
  }

  /**
   * Performs the handshake on a connected socket and reads the register numbers, which depend on
   * QEMU, CPU and CPU options.
   */
  static async open(socket: Socket): Promise<GdbClient> {
    const wire = new Wire(socket);
    const features = await wire.request('qSupported:swbreak+;hwbreak+;xmlRegisters=aarch64');
    await wire.request('QStartNoAckMode');
    wire.acknowledges = false;
    if (!features.includes('qXfer:features:read+')) {
      throw new PtdiffError(
        'emulator',
        "QEMU's GDB stub offers no target description; use QEMU 10.0 or newer.",
      );
    }
    const document = await readDocument(wire, 'target.xml');
    return new GdbClient(
      wire,
      await parseTargetDescription(document, (name) => readDocument(wire, name)),
    );
  }

  /** Identifiers of the CPUs, in QEMU's order. */
  async threads(): Promise<string[]> {
    const threads: string[] = [];
    let reply = await this.#wire.request('qfThreadInfo');
    while (reply.startsWith('m')) {
      threads.push(...reply.slice(1).split(','));
      reply = await this.#wire.request('qsThreadInfo');
    }
    return threads;
  }

  /**
   * Values of registers of one CPU by name (x0, pc, TTBR1_EL1, …); a register that the CPU does not
   * have is absent. One round trip, however many names.
   */
  async readRegisters(thread: string, names: readonly string[]): Promise<Record<string, bigint>> {
    const read = async (name: string, { number }: TargetRegister) => {
      const reply = await this.#wire.request(`p${number.toString(16)}`);
      return [name, littleEndian(reply, `register ${name}`)] as const;
    };
    const [, ...values] = await Promise.all([
      this.#wire.request(`Hg${thread}`),
      ...names.flatMap((name) => {
        const register = this.registers.get(name);
        return register ? [read(name, register)] : [];
      }),
    ]);
    return Object.fromEntries(values);
  }

  /**
   * Registers that every arm64 CPU has, by name.
   * @param more names of registers that only some have
   * @throws PtdiffError('emulator') for one of `names` that the stub does not know
   */
  async requireRegisters<Name extends string, More extends string = never>(
    thread: string,
    names: readonly Name[],
    more: readonly More[] = [],
  ): Promise<Record<Name, bigint> & Partial<Record<More, bigint>>> {
    const values = await this.readRegisters(thread, [...names, ...more]);
    const missing = names.find((name) => values[name] === undefined);
    if (missing !== undefined) {
      throw new PtdiffError(
        'emulator',
        `QEMU's GDB stub does not know the register ${missing}; use QEMU 10.0 or newer.`,
      );
    }
    return values as Record<Name, bigint> & Partial<Record<More, bigint>>;
  }

  /** One register that every arm64 CPU has. */
  async readRegister<Name extends string>(thread: string, name: Name): Promise<bigint> {
    return (await this.requireRegisters(thread, [name]))[name];
  }

  /** Guest memory by virtual address, translated by that CPU's tables. */
  async readMemory(thread: string, address: bigint, bytes: number): Promise<Buffer> {
    const memory = await this.peekMemory(thread, address, bytes);
    if (memory === undefined) {
      throw new PtdiffError(
        'emulator',
        `QEMU cannot read ${bytes} bytes at 0x${address.toString(16)}.`,
      );
    }
    return memory;
  }

  /** The same for an address that a guest may have made up: undefined where nothing can be read. */
  async peekMemory(thread: string, address: bigint, bytes: number): Promise<Buffer | undefined> {
    const [, reply] = await Promise.all([
      this.#wire.request(`Hg${thread}`),
      this.#wire.request(`m${address.toString(16)},${bytes.toString(16)}`),
    ]);
    // An error is 'E' and two digits, so its length is odd; data has two digits per byte.
    return reply.length === 2 * bytes ? Buffer.from(reply, 'hex') : undefined;
  }

  /**
   * Guest memory by physical address, whatever the tables say: undefined where nothing can be read.
   * @throws PtdiffError('emulator') for a stub that does not support it; QEMU's does since 4.1
   * (qqemu.PhyMemMode)
   */
  async peekPhysical(thread: string, address: number, bytes: number): Promise<Buffer | undefined> {
    if ((await this.#wire.request('Qqemu.PhyMemMode:1')) !== 'OK') {
      throw new PtdiffError(
        'emulator',
        "QEMU's GDB stub cannot read physical memory; use QEMU 10.0 or newer.",
      );
    }
    try {
      return await this.peekMemory(thread, BigInt(address), bytes);
    } finally {
      await this.#wire.request('Qqemu.PhyMemMode:0');
    }
  }

  async insertBreakpoint(address: bigint): Promise<void> {
    expectOk(await this.#wire.request(`Z0,${address.toString(16)},4`), 'set', address);
  }

  async removeBreakpoint(address: bigint): Promise<void> {
    expectOk(await this.#wire.request(`z0,${address.toString(16)},4`), 'remove', address);
  }

  /**
   * Lets all CPUs run until the next stop; the one that stopped last continues at `address`, if
   * given.
   */
  async resume(address?: bigint): Promise<StopReply> {
    return parseStop(
      await this.#wire.request(`c${address?.toString(16) ?? ''}`, { patient: true }),
    );
  }

  /** Executes one instruction on one CPU while the others are stopped. */
  async step(thread: string): Promise<StopReply> {
    return parseStop(await this.#wire.request(`vCont;s:${thread}`));
  }

  /**
   * Steps over a breakpoint that must stay: the stub would stop again at once, so the breakpoint is
   * removed for one instruction.
   */
  async stepOver(thread: string, address: bigint): Promise<void> {
    await this.removeBreakpoint(address);
    for (let steps = 0; (await this.readRegister(thread, 'pc')) === address; steps++) {
      // With several CPUs on a busy host, QEMU 11.1.3 may report that a CPU has made its step
      // before it has. If it stayed there, it would stop twice for one passage.
      if (steps === mostSteps) {
        const at = `0x${address.toString(16)}`;
        throw new PtdiffError('emulator', `QEMU does not let CPU ${thread} leave ${at}.`);
      }
      await this.step(thread);
    }
    await this.insertBreakpoint(address);
  }

  /**
   * Stops the running guest: the pending resume() returns, or fails if QEMU does not run and does
   * not answer.
   */
  interrupt(): void {
    this.#wire.interrupt();
  }

  /** Disconnects: the guest continues, and the connection ends. */
  async detach(): Promise<void> {
    await this.#wire.request('D');
    this.close();
  }

  close(): void {
    this.#wire.close();
  }

  /** Ends the connection: every pending or later request fails with this error. */
  abandon(error: Error): void {
    this.#wire.abandon(error);
  }
}

async function readDocument(wire: Wire, name: string): Promise<string> {
  const piece = 0x800;
  let document = '';
  for (;;) {
    const offset = document.length.toString(16);
    const reply = await wire.request(`qXfer:features:read:${name}:${offset},${piece.toString(16)}`);
    if (!/^[ml]/.test(reply)) {
      throw new PtdiffError(
        'emulator',
        `QEMU's GDB stub cannot describe its registers (${name}: ${reply}).`,
      );
    }
    document += reply.slice(1);
    if (reply.startsWith('l')) {
      return document;
    }
  }
}

/** Reads a stop reply: Tnn with key:value pairs, Snn, or W and X for the end of QEMU. */
export function parseStop(body: string): StopReply {
  if (/^[WX]/.test(body)) {
    return { kind: 'exited', detail: body };
  }
  const stop = /^[TS]([0-9a-fA-F]{2})(.*)$/s.exec(body);
  if (!stop) {
    throw new PtdiffError(
      'emulator',
      `QEMU's GDB stub answered '${body.slice(0, 40)}' where the guest should stop.`,
    );
  }
  const [, signal = '', rest = ''] = stop;
  const thread = /(?:^|;)thread:([^;]+)/.exec(rest)?.[1] ?? '1';
  return { kind: 'stopped', signal: Number.parseInt(signal, 16), thread };
}

function littleEndian(reply: string, what: string): bigint {
  if (!/^([0-9a-fA-F]{2})+$/.test(reply)) {
    throw new PtdiffError(
      'emulator',
      `QEMU's GDB stub cannot read ${what}: '${reply.slice(0, 40)}'.`,
    );
  }
  return BigInt(`0x${Buffer.from(reply, 'hex').reverse().toString('hex')}`);
}

function expectOk(reply: string, action: string, address: bigint): void {
  if (reply !== 'OK') {
    throw new PtdiffError(
      'emulator',
      `QEMU cannot ${action} a breakpoint at 0x${address.toString(16)}: '${reply}'.`,
    );
  }
}
