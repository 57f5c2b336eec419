import { PtdiffError } from '../src/errors.ts';
import { type BootEnd, type CheckpointName, checkpointNames, type Evidence } from '../src/linux/capture.ts';
import { guestEvent, guestEvents, rebootArgumentBytes } from '../src/linux/guest-events.ts';
import { captureCheckpoint, type RunningKernel, readIdRegisters } from './capture-checkpoint.ts';
import type { CaseSetup } from './case-setup.ts';
import { planStops, type StopPlan } from './checkpoints.ts';
import { describeStuck, hasFinishedPanic, panicMessage, quote } from './guest-failure.ts';
import { collectRecords } from './guest-records.ts';
import { type BreakpointStop, GuestRunner, type GuestStop, type RunOptions } from './guest-runner.ts';
import type { ImageAnchor } from './image-anchor.ts';
import { processActivity } from './process.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import { defaultLimits, Watchdog } from './watchdog.ts';

/** Enough of the format string of panic() to know it again. */
const panicFormatBytes = 80;

/** What to do at a stop: the end of the boot, or how to go on. */
type Handler = (stop: BreakpointStop) => Promise<BootEnd | RunOptions>;

type GuestFailure = Exclude<BootEnd, { kind: 'completed' }>;

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
    await this.#stopAt(BigInt(this.#anchor.branchPa), (stop) => this.#atAnchor(stop));
    const runner = new GuestRunner(this.#vm, this.#watchdog);
    try {
      this.#evidence.end = await this.#runToEnd(runner);
    } finally {
      runner.close();
    }
    Object.assign(this.#evidence, collectRecords(this.#vm.ram, this.#directory));
    this.#vm.console.poll(this.#watchdog.limits.consoleBytes);
    this.#evidence.console = this.#vm.console.text();
    return this.#evidence;
  }

  async #runToEnd(runner: GuestRunner): Promise<BootEnd> {
    let step: BootEnd | RunOptions = {};
    while (!('kind' in step)) {
      step = await this.#atStop(await runner.run(step));
    }
    return step.kind === 'panic' ? this.#lastWords(runner, step) : step;
  }

  async #atStop(stop: GuestStop): Promise<BootEnd | RunOptions> {
    switch (stop.kind) {
      case 'breakpoint': {
        const { pc } = stop.registers;
        const handler = this.#handlers.get(pc);
        if (handler === undefined) {
          throw new PtdiffError('emulator', `The guest stopped at 0x${pc.toString(16)}, where no breakpoint is.`);
        }
        return handler(stop);
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
  async #atAnchor({ thread, registers }: BreakpointStop): Promise<RunOptions> {
    const { gdb } = this.#vm;
    await gdb.removeBreakpoint(registers.pc);
    const target = await gdb.readRegister(thread, this.#anchor.register);
    const linked = this.#setup.symbols.address('__primary_switched') ?? target;
    this.#kernel.slide = target - linked;
    this.#evidence.image.slide = this.#kernel.slide;
    this.#evidence.idRegisters = await readIdRegisters(gdb);
    await this.#setStops(planStops(this.#setup.symbols));
    return {};
  }

  async #setStops(plan: StopPlan): Promise<void> {
    await this.#stopAtSymbol(plan.pagingInit, (stop) => this.#atPagingInit(stop));
    await this.#stopAtSymbol(plan.afterPagingInit, (stop) => this.#atCheckpoint('paging_init', stop));
    await this.#stopAtSymbol(plan.freeInitmem, (stop) => this.#atCheckpoint('free_initmem', stop));
    await this.#stopAtSymbol(plan.reboot, (stop) => this.#atReboot(stop));
    await this.#stopAtSymbol(plan.panic, (stop) => this.#atPanic(stop));
    if (this.#setup.traceSplits && this.#anchor.split) {
      const { address, skippable } = this.#anchor.split;
      await this.#stopAtSymbol(address, (stop) => this.#atSplit(stop, skippable));
    }
    if (plan.pagingInit === undefined) {
      this.#setup.onEvent({ kind: 'note', text: 'paging_init() is inlined: captured at the entry of bootmem_init()' });
    }
  }

  async #atPagingInit({ registers }: BreakpointStop): Promise<RunOptions> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    await this.#stopAt(registers.x30, (stop) => this.#atCheckpoint('paging_init', stop));
    return {};
  }

  async #atCheckpoint(checkpoint: CheckpointName, { thread, registers }: BreakpointStop): Promise<RunOptions> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    await this.#capture(checkpoint, thread);
    return {};
  }

  async #capture(checkpoint: CheckpointName, thread: string): Promise<void> {
    this.#evidence.captures.push(await captureCheckpoint(this.#vm, this.#kernel, checkpoint, thread));
    const cpuSeconds = processActivity(this.#vm.pid)?.cpuSeconds ?? 0;
    this.#setup.onEvent({ kind: 'checkpoint', checkpoint, cpuSeconds });
  }

  /** Entry of __arm64_sys_reboot(regs): an event of our init, or a true reboot. */
  async #atReboot({ thread, registers }: BreakpointStop): Promise<BootEnd | RunOptions> {
    const { gdb } = this.#vm;
    const event = guestEvent(await gdb.readMemory(thread, registers.x0, rebootArgumentBytes));
    this.#directory = event?.directory ?? this.#directory;
    if (event?.event === guestEvents.ready) {
      await this.#capture('init', thread);
      return { kind: 'completed' };
    }
    await gdb.stepOver(thread, registers.pc);
    return {};
  }

  /** split_kernel_leaf_mapping(start, end) of arch/arm64/mm/mmu.c. */
  async #atSplit({ thread, registers }: BreakpointStop, skippable: boolean): Promise<RunOptions> {
    const { pc, x0, x1 } = registers;
    const before = checkpointNames[this.#evidence.captures.length] ?? 'init';
    this.#evidence.splitRequests.push({ start: x0, end: x1, before });
    if (skippable) {
      return { resumeAt: pc + 4n };
    }
    await this.#vm.gdb.stepOver(thread, pc);
    return {};
  }

  /** Entry of panic(format, …). */
  async #atPanic({ thread, registers }: BreakpointStop): Promise<GuestFailure> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    const format = await this.#vm.gdb.readMemory(thread, registers.x0, panicFormatBytes);
    return this.#ended('panic', quote(format.toString('latin1').split('\0')[0]));
  }

  /** Lets a panicking kernel print all that it will; its own line says more than the format alone. */
  async #lastWords(runner: GuestRunner, end: GuestFailure): Promise<GuestFailure> {
    const { console } = this.#vm;
    runner.watchdog = new Watchdog({ ...this.#watchdog.limits, cpuSeconds: 5, idleSeconds: 5 });
    await runner.run({ until: () => hasFinishedPanic(console.text()) });
    return { ...end, reason: panicMessage(console.text()) ?? end.reason };
  }

  #ended(kind: GuestFailure['kind'], reason: string): GuestFailure {
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
