import type { Socket } from 'node:net';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { framePacket, GdbPacketParser } from './gdb-packets.ts';
import { parseTargetDescription, type TargetRegister } from './target-description.ts';

/** Why the guest stopped: at a breakpoint or a step, by our interrupt, or because QEMU ended. */
export type StopReply = { kind: 'stopped'; signal: number; thread: string } | { kind: 'exited'; detail: string };

/** The stub answers within milliseconds; this much silence on a loaded host means that it never will. */
const replyMilliseconds = 60_000;

interface Waiter {
  body: string;
  /** The answer may take as long as the guest runs. */
  patient: boolean;
  resolve(body: string): void;
  reject(error: Error): void;
}

/**
 * Client of QEMU's GDB stub ("GDB Remote Serial Protocol", all-stop mode without acknowledgements). Requests may be
 * sent without waiting for the answers of earlier ones: the stub answers in order. While the guest runs, the only
 * thing that may be sent is interrupt().
 */
export class GdbClient {
  readonly registers: Map<string, TargetRegister>;
  readonly #wire: Wire;

  private constructor(wire: Wire, registers: Map<string, TargetRegister>) {
    this.#wire = wire;
    this.registers = registers;
  }

  /** Shakes hands on a connected socket and reads the register numbers, which change with QEMU, CPU and CPU options. */
  static async open(socket: Socket): Promise<GdbClient> {
    const wire = new Wire(socket);
    const features = await wire.request('qSupported:swbreak+;hwbreak+;xmlRegisters=aarch64');
    await wire.request('QStartNoAckMode');
    wire.acknowledges = false;
    if (!features.includes('qXfer:features:read+')) {
      throw new PtdiffError('emulator', "QEMU's GDB stub offers no target description; use QEMU 10.0 or newer.");
    }
    const document = await readDocument(wire, 'target.xml');
    return new GdbClient(wire, await parseTargetDescription(document, (name) => readDocument(wire, name)));
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
   * Values of registers of one CPU by name (x0, pc, TTBR1_EL1, …); a register that the CPU does not have is absent.
   * Bounded by the names: one round trip.
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

  /** Guest memory by virtual address, translated by the tables of that CPU. */
  async readMemory(thread: string, address: bigint, bytes: number): Promise<Buffer> {
    const memory = await this.peekMemory(thread, address, bytes);
    if (memory === undefined) {
      throw new PtdiffError('emulator', `QEMU cannot read ${bytes} bytes at 0x${address.toString(16)}.`);
    }
    return memory;
  }

  /** The same of an address that a guest may have made up: undefined where nothing can be read. */
  async peekMemory(thread: string, address: bigint, bytes: number): Promise<Buffer | undefined> {
    const [, reply] = await Promise.all([
      this.#wire.request(`Hg${thread}`),
      this.#wire.request(`m${address.toString(16)},${bytes.toString(16)}`),
    ]);
    // An error is 'E' and two digits: the hexadecimal digits of a byte and a half.
    return reply.length === 2 * bytes ? Buffer.from(reply, 'hex') : undefined;
  }

  /**
   * Guest memory by physical address, whatever the tables say: undefined where nothing can be read.
   * @throws PtdiffError('emulator') for a stub that cannot; QEMU's can from 4.1 on (qqemu.PhyMemMode)
   */
  async peekPhysical(thread: string, address: number, bytes: number): Promise<Buffer | undefined> {
    if ((await this.#wire.request('Qqemu.PhyMemMode:1')) !== 'OK') {
      throw new PtdiffError('emulator', "QEMU's GDB stub reads no physical memory; use QEMU 10.0 or newer.");
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

  /** Lets all CPUs run until the next stop; the one that stopped last goes on at `address`, if given. */
  async resume(address?: bigint): Promise<StopReply> {
    return parseStop(await this.#wire.request(`c${address?.toString(16) ?? ''}`, { patient: true }));
  }

  /** Executes one instruction on one CPU while the others stand still. */
  async step(thread: string): Promise<StopReply> {
    return parseStop(await this.#wire.request(`vCont;s:${thread}`));
  }

  /** Leaves a breakpoint that must stay: the stub stops again at once unless it is lifted for one instruction. */
  async stepOver(thread: string, address: bigint): Promise<void> {
    await this.removeBreakpoint(address);
    await this.step(thread);
    await this.insertBreakpoint(address);
  }

  /** Stops the running guest: the pending resume() answers, or fails where a QEMU that does not run answers nothing. */
  interrupt(): void {
    this.#wire.interrupt();
  }

  /** Takes leave: the guest goes on, and the connection ends. */
  async detach(): Promise<void> {
    await this.#wire.request('D');
    this.close();
  }

  close(): void {
    this.#wire.close();
  }

  /** Ends the connection: whatever waits for an answer, or asks from now on, gets this error. */
  abandon(error: Error): void {
    this.#wire.abandon(error);
  }
}

/** The queue of requests on the socket. */
class Wire {
  acknowledges = true;
  readonly #socket: Socket;
  readonly #parser = new GdbPacketParser();
  readonly #waiting: Waiter[] = [];
  readonly #deadline: NodeJS.Timeout;
  #outgoing = '';
  /** The first that waits shall end its wait. */
  #interrupted = false;
  #failure?: Error;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#overdue(), replyMilliseconds);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(`the connection to QEMU's GDB stub broke: ${error.message}.`));
    socket.on('close', () => this.#fail('QEMU closed the connection of its GDB stub: it was killed or it crashed.'));
  }

  request(body: string, options: { patient?: boolean } = {}): Promise<string> {
    if (this.#failure) {
      return Promise.reject(this.#failure);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, body, patient: options.patient ?? false });
      this.#deadline.refresh();
      this.#outgoing += framePacket(body);
      if (this.#outgoing.length === framePacket(body).length) {
        process.nextTick(() => this.#flush());
      }
    });
  }

  /** Requests that are made together travel together. */
  #flush(): void {
    this.#socket.write(this.#outgoing);
    this.#outgoing = '';
  }

  #overdue(): void {
    const [first] = this.#waiting;
    if (first !== undefined && !first.patient) {
      const request = this.#interrupted ? 'the request to stop the guest' : `'${first.body.slice(0, 40)}'`;
      this.#fail(`QEMU's GDB stub did not answer ${request} within ${replyMilliseconds / 1000} s.`);
    }
  }

  interrupt(): void {
    const [first] = this.#waiting;
    if (first !== undefined) {
      first.patient = false;
      this.#interrupted = true;
      this.#deadline.refresh();
    }
    this.#socket.write('\x03');
  }

  close(): void {
    this.#fail('The GDB connection is closed.');
  }

  abandon(error: Error): void {
    this.#failure ??= error;
    for (const waiter of this.#waiting.splice(0)) {
      waiter.reject(this.#failure);
    }
    clearTimeout(this.#deadline);
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const item of this.#parser.push(chunk)) {
        if (item.kind === 'damaged' || item.kind === 'nack') {
          this.#fail("QEMU's GDB stub and ptdiff disagree about a packet's checksum.");
        } else if (item.kind === 'packet') {
          this.#deliver(item.body);
        }
      }
    } catch (error) {
      this.#fail(messageOf(error));
    }
  }

  #deliver(body: string): void {
    if (this.acknowledges) {
      this.#socket.write('+');
    }
    this.#deadline.refresh();
    this.#interrupted = false;
    this.#waiting.shift()?.resolve(body);
  }

  #fail(message: string): void {
    this.abandon(new PtdiffError('emulator', message));
  }
}

async function readDocument(wire: Wire, name: string): Promise<string> {
  const piece = 0x800;
  let document = '';
  for (;;) {
    const offset = document.length.toString(16);
    const reply = await wire.request(`qXfer:features:read:${name}:${offset},${piece.toString(16)}`);
    if (!/^[ml]/.test(reply)) {
      throw new PtdiffError('emulator', `QEMU's GDB stub cannot describe its registers (${name}: ${reply}).`);
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
    throw new PtdiffError('emulator', `QEMU's GDB stub answered '${body.slice(0, 40)}' where the guest should stop.`);
  }
  const [, signal = '', rest = ''] = stop;
  const thread = /(?:^|;)thread:([^;]+)/.exec(rest)?.[1] ?? '1';
  return { kind: 'stopped', signal: Number.parseInt(signal, 16), thread };
}

function littleEndian(reply: string, what: string): bigint {
  if (!/^([0-9a-fA-F]{2})+$/.test(reply)) {
    throw new PtdiffError('emulator', `QEMU's GDB stub cannot read ${what}: '${reply.slice(0, 40)}'.`);
  }
  return BigInt(`0x${Buffer.from(reply, 'hex').reverse().toString('hex')}`);
}

function expectOk(reply: string, action: string, address: bigint): void {
  if (reply !== 'OK') {
    throw new PtdiffError('emulator', `QEMU cannot ${action} a breakpoint at 0x${address.toString(16)}: '${reply}'.`);
  }
}
