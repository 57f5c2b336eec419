import { PtdiffError } from '../src/errors.ts';
import { type BootEnd, type CheckpointName, checkpointNames, type Evidence } from '../src/linux/capture.ts';
import { guestEvent, guestEvents, rebootArgumentBytes } from '../src/linux/guest-events.ts';
import type { ReadPhysical } from '../src/linux/record-stream.ts';
import { decodeRecords, guestTexts } from '../src/linux/records.ts';
import { captureCheckpoint, type RunningKernel, readIdRegisters } from './capture-checkpoint.ts';
import type { CaseSetup } from './case-setup.ts';
import { planStops } from './checkpoints.ts';
import { describeStuck, hasFinishedPanic, panicMessage, quote } from './guest-failure.ts';
import { readRam } from './guest-memory.ts';
import { type GuestStop, runGuest } from './guest-runner.ts';
import type { ImageAnchor } from './image-anchor.ts';
import { processActivity } from './process.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import { defaultLimits, Watchdog } from './watchdog.ts';

/** Enough of a directory page for all the index pages that init ever has (guest/init/channel.c). */
const directoryBytes = 4096;

/** Enough of the format string of panic() to know it again. */
const panicFormatBytes = 80;

/** What to do at a stop; an end when the boot is over. */
type Handler = (thread: string, pc: bigint) => Promise<BootEnd | undefined>;

/** One boot from reset to its end: stops, and what each of them adds to the evidence. */
export class BootSession {
  readonly #setup: CaseSetup;
  readonly #vm: VirtualMachine;
  readonly #anchor: ImageAnchor;
  readonly #watchdog: Watchdog;
  readonly #handlers = new Map<bigint, Handler>();
  readonly #evidence: Evidence;
  #kernel: RunningKernel;
  /** Physical address of the directory page of init's records; 0 until init said it. */
  #directory = 0;

  constructor(setup: CaseSetup, vm: VirtualMachine, anchor: ImageAnchor) {
    this.#setup = setup;
    this.#vm = vm;
    this.#anchor = anchor;
    this.#watchdog = new Watchdog(setup.watchdog ?? defaultLimits);
    this.#kernel = { symbols: setup.symbols, slide: 0n };
    this.#evidence = {
      captures: [],
      splitRequests: [],
      files: {},
      probes: [],
      console: '',
      end: { kind: 'completed' },
      image: { pa: anchor.imagePa, slide: 0n },
      idRegisters: [],
    };
  }

  async observe(): Promise<Evidence> {
    await this.#stopAt(BigInt(this.#anchor.branchPa), (thread, pc) => this.#atAnchor(thread, pc));
    this.#evidence.end = await this.#runToEnd();
    this.#collectRecords();
    this.#vm.console.poll(this.#watchdog.limits.consoleBytes);
    this.#evidence.console = this.#vm.console.text();
    return this.#evidence;
  }

  async #runToEnd(): Promise<BootEnd> {
    for (;;) {
      const stop = await runGuest(this.#vm, this.#watchdog);
      const end = await this.#atStop(stop);
      if (end !== undefined) {
        return end;
      }
    }
  }

  async #atStop(stop: GuestStop): Promise<BootEnd | undefined> {
    switch (stop.kind) {
      case 'breakpoint': {
        this.#watchdog.progress();
        const handler = this.#handlers.get(stop.pc);
        if (handler === undefined) {
          throw new PtdiffError('emulator', `The guest stopped at 0x${stop.pc.toString(16)}, where no breakpoint is.`);
        }
        return handler(stop.thread, stop.pc);
      }
      case 'shutdown':
        return this.#ended('died', `the guest ended (${stop.reason}) before its init was ready`);
      case 'hang':
        return this.#ended('hang', `${stop.reason}; ${await describeStuck(this.#vm, this.#kernel)}`);
      case 'enough':
        throw new PtdiffError('harness', 'The guest was stopped for no reason.');
    }
  }

  /** The kernel is about to enter its virtual addresses: from here on the breakpoints by symbol can be set. */
  async #atAnchor(thread: string, pc: bigint): Promise<undefined> {
    const { gdb } = this.#vm;
    await gdb.removeBreakpoint(pc);
    const target = await gdb.readRegister(thread, this.#anchor.register);
    const linked = this.#setup.symbols.address('__primary_switched') ?? target;
    this.#kernel.slide = target - linked;
    this.#evidence.image.slide = this.#kernel.slide;
    this.#evidence.idRegisters = await readIdRegisters(gdb);
    const plan = planStops(this.#setup.symbols, this.#setup.traceSplits);
    await this.#stopAtSymbol(plan.pagingInit, (thread, pc) => this.#atPagingInit(thread, pc));
    await this.#stopAtSymbol(plan.afterPagingInit, (thread, pc) => this.#atCheckpoint('paging_init', thread, pc));
    await this.#stopAtSymbol(plan.freeInitmem, (thread, pc) => this.#atCheckpoint('free_initmem', thread, pc));
    await this.#stopAtSymbol(plan.reboot, (thread, pc) => this.#atReboot(thread, pc));
    await this.#stopAtSymbol(plan.panic, (thread, pc) => this.#atPanic(thread, pc));
    await this.#stopAtSymbol(plan.split, (thread, pc) => this.#atSplit(thread, pc));
    if (plan.pagingInit === undefined) {
      this.#setup.onEvent({ kind: 'note', text: 'paging_init() is inlined: captured at the entry of bootmem_init()' });
    }
  }

  async #atPagingInit(thread: string, pc: bigint): Promise<undefined> {
    await this.#vm.gdb.removeBreakpoint(pc);
    const returnAddress = await this.#vm.gdb.readRegister(thread, 'x30');
    await this.#stopAt(returnAddress, (thread, pc) => this.#atCheckpoint('paging_init', thread, pc));
  }

  async #atCheckpoint(checkpoint: CheckpointName, thread: string, pc: bigint): Promise<undefined> {
    await this.#vm.gdb.removeBreakpoint(pc);
    await this.#capture(checkpoint, thread);
  }

  async #capture(checkpoint: CheckpointName, thread: string): Promise<void> {
    this.#evidence.captures.push(await captureCheckpoint(this.#vm, this.#kernel, checkpoint, thread));
    const cpuSeconds = processActivity(this.#vm.pid)?.cpuSeconds ?? 0;
    this.#setup.onEvent({ kind: 'checkpoint', checkpoint, cpuSeconds });
  }

  /** Entry of __arm64_sys_reboot(regs): an event of our init, or a true reboot. */
  async #atReboot(thread: string, pc: bigint): Promise<BootEnd | undefined> {
    const { gdb } = this.#vm;
    const registers = await gdb.readRegister(thread, 'x0');
    const event = guestEvent(await gdb.readMemory(thread, registers, rebootArgumentBytes));
    this.#directory = event?.directory ?? this.#directory;
    if (event?.event === guestEvents.ready) {
      await this.#capture('init', thread);
      return { kind: 'completed' };
    }
    await gdb.stepOver(thread, pc);
    return undefined;
  }

  /** Takes over what init has committed to its memory so far, whatever became of the guest since. */
  #collectRecords(): void {
    const read: ReadPhysical = (pa, bytes) => readRam(this.#vm.ram, pa, bytes);
    const page = this.#directory === 0 ? undefined : read(this.#directory, directoryBytes);
    if (page === undefined) {
      return;
    }
    const report = decodeRecords(page, read);
    this.#evidence.files = guestTexts(report);
    this.#evidence.probes = report.probes;
    const problems = report.problems.map(({ where, what }) => `${where}: ${what}`);
    this.#evidence.guestProblems = [...problems, ...report.damage];
  }

  /** split_kernel_leaf_mapping(start, end) of arch/arm64/mm/mmu.c. */
  async #atSplit(thread: string, pc: bigint): Promise<undefined> {
    const { x0, x1 } = await this.#vm.gdb.readRegisters(thread, ['x0', 'x1']);
    const before = checkpointNames[this.#evidence.captures.length] ?? 'init';
    this.#evidence.splitRequests.push({ start: x0, end: x1, before });
    await this.#vm.gdb.stepOver(thread, pc);
  }

  /** Lets the kernel print its last words, then ends the boot. */
  async #atPanic(thread: string, pc: bigint): Promise<BootEnd> {
    const { gdb, console } = this.#vm;
    await gdb.removeBreakpoint(pc);
    const format = await gdb.readMemory(thread, await gdb.readRegister(thread, 'x0'), panicFormatBytes);
    const lastWords = new Watchdog({ ...this.#watchdog.limits, cpuSeconds: 5, idleSeconds: 5 });
    await runGuest(this.#vm, lastWords, () => hasFinishedPanic(console.text()));
    return this.#ended('panic', panicMessage(console.text()) ?? quote(format.toString('latin1').split('\0')[0]));
  }

  #ended(kind: 'panic' | 'hang' | 'died', reason: string): BootEnd {
    const lastCheckpoint = this.#evidence.captures.at(-1)?.checkpoint;
    return { kind, reason, ...(lastCheckpoint && { lastCheckpoint }) };
  }

  async #stopAtSymbol(linkAddress: bigint | undefined, handler: Handler): Promise<void> {
    if (linkAddress !== undefined) {
      await this.#stopAt(linkAddress + this.#kernel.slide, handler);
    }
  }

  async #stopAt(address: bigint, handler: Handler): Promise<void> {
    this.#handlers.set(address, handler);
    await this.#vm.gdb.insertBreakpoint(address);
  }
}
