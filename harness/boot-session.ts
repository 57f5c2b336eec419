import { PtdiffError } from '../src/errors.ts';
import {
  type BootEnd,
  type CheckpointName,
  checkpointNames,
  type Evidence,
  type SharingRequest,
} from '../src/linux/capture.ts';
import { guestEvent, guestEvents, rebootArgumentBytes } from '../src/linux/guest-events.ts';
import { captureCheckpoint, mappedFrames, type RunningKernel, readIdRegisters } from './capture-checkpoint.ts';
import type { CaseSetup } from './case-setup.ts';
import { planStops, type StopPlan } from './checkpoints.ts';
import { describeStuck, hasFinishedPanic, PanicWatch, panicMessage } from './guest-failure.ts';
import { collectRecords } from './guest-records.ts';
import { type BreakpointStop, GuestRunner, type GuestStop, type RunOptions } from './guest-runner.ts';
import type { ImageAnchor } from './image-anchor.ts';
import { shownIdRegisters } from './monitor-firmware.ts';
import { monitorHasPanicked, throwMonitorPanic, viewOfMonitor } from './monitor-witness.ts';
import { processActivity } from './process.ts';
import { readSharingRequest } from './sharing-request.ts';
import type { VirtualMachine } from './virtual-machine.ts';
import { defaultLimits, Watchdog } from './watchdog.ts';

/** What to do at a stop: the end of the boot, or how to go on. */
type Handler = (stop: BreakpointStop) => Promise<BootEnd | RunOptions>;

/** One boot from reset to its end: stops, and what each of them adds to the evidence. */
export class BootSession {
  readonly #setup: CaseSetup;
  readonly #vm: VirtualMachine;
  readonly #anchor: ImageAnchor;
  readonly #watchdog: Watchdog;
  readonly #handlers = new Map<bigint, Handler>();
  readonly #evidence: Evidence;
  /** Whether smp_cpus_done() was reached; watched in a realm only, where it matters. */
  #capabilitiesFinal = true;
  readonly #panic: PanicWatch;
  #plan: StopPlan = {};
  #kernel: RunningKernel;
  /** Physical address of the directory page of init's records; 0 until init said it. */
  #directory = 0;

  constructor(setup: CaseSetup, vm: VirtualMachine, anchor: ImageAnchor) {
    this.#setup = setup;
    this.#vm = vm;
    this.#anchor = anchor;
    this.#watchdog = new Watchdog(setup.watchdog ?? defaultLimits);
    this.#kernel = {
      symbols: setup.symbols,
      slide: 0n,
      ...(setup.vmemmap !== undefined && { vmemmap: setup.vmemmap }),
    };
    this.#panic = new PanicWatch(vm.ram, setup.symbols, anchor.imagePa);
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
    if (this.#vm.monitor) {
      this.#evidence.monitor = viewOfMonitor(this.#vm.monitor);
    }
    Object.assign(this.#evidence, collectRecords(this.#vm.ram, this.#directory));
    this.#vm.console.poll(this.#watchdog.limits.consoleBytes);
    this.#evidence.console = this.#vm.console.text();
    return this.#evidence;
  }

  async #runToEnd(runner: GuestRunner): Promise<BootEnd> {
    let step: BootEnd | RunOptions = {};
    while (!('kind' in step)) {
      const stop = await runner.run({ ...step, until: () => this.#panic.begun() || this.#monitorPanicked() });
      this.#checkMonitor(stop);
      step = stop.kind === 'enough' ? await this.#lastWords(runner) : await this.#atStop(stop);
    }
    return step;
  }

  #monitorPanicked(): boolean {
    return this.#vm.monitor !== undefined && monitorHasPanicked(this.#vm.monitor);
  }

  /** A guest that stands still for the monitor's sake is no evidence. */
  #checkMonitor({ kind }: GuestStop): void {
    if (this.#vm.monitor && kind !== 'breakpoint') {
      throwMonitorPanic(this.#vm.monitor);
    }
  }

  async #atStop(stop: Exclude<GuestStop, { kind: 'enough' }>): Promise<BootEnd | RunOptions> {
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
        return this.#panic.begun()
          ? this.#panicked()
          : this.#ended('died', `the guest ended (${stop.reason}) before its init was ready`);
      case 'hang':
        return this.#ended('hang', `${stop.reason}; ${await describeStuck(this.#vm, this.#kernel)}`);
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
    this.#evidence.idRegisters = shownIdRegisters(await readIdRegisters(gdb), this.#vm.monitor?.overrides ?? []);
    await this.#setStops(planStops(this.#setup.symbols));
    return {};
  }

  /** The first stops. Every breakpoint slows TCG by more than 1 %, so each is set when it is the next to come. */
  async #setStops(plan: StopPlan): Promise<void> {
    this.#plan = plan;
    await this.#stopAtSymbol(plan.pagingInit, (stop) => this.#atPagingInit(stop));
    await this.#stopAtSymbol(plan.afterPagingInit, (stop) => this.#atPagingDone(stop));
    if (plan.pagingInit === undefined) {
      this.#setup.onEvent({ kind: 'note', text: 'paging_init() is inlined: captured at the entry of bootmem_init()' });
    }
  }

  async #atPagingInit({ registers }: BreakpointStop): Promise<RunOptions> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    await this.#stopAt(registers.x30, (stop) => this.#atPagingDone(stop));
    return {};
  }

  async #atPagingDone({ thread, registers }: BreakpointStop): Promise<RunOptions> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    await this.#capture('paging_init', thread);
    await this.#stopAtSymbol(this.#plan.freeInitmem, (stop) => this.#atFreeInitmem(stop));
    if (this.#setup.machine.world === 'realm') {
      await this.#traceSharing();
    }
    if (this.#setup.traceSplits && this.#anchor.split) {
      const { address, skippable } = this.#anchor.split;
      await this.#stopAtSymbol(address, (stop) => this.#atSplit(stop, skippable));
      const splitAddress = address + this.#kernel.slide;
      await this.#stopAtSymbol(this.#plan.kfenceInit, (stop) => this.#atKfenceInit(stop, splitAddress));
      if (this.#mayGroupProtection()) {
        await this.#stopAtSymbol(this.#plan.setMemoryRo, (stop) => this.#atSetMemoryRo(stop, splitAddress));
      }
    }
    return {};
  }

  /** Another CPU could ask for a split while the call of set_memory_ro() runs, and would be missed. */
  #mayGroupProtection(): boolean {
    const [{ variables }] = this.#evidence.captures;
    return this.#setup.groupProtection === true && this.#setup.machine.cpus === 1 && variables.rodata_full === 1n;
  }

  /** Lets requests to split pass unrecorded until the function returns. */
  async #pauseSplits(splitAddress: bigint, returnAddress: bigint): Promise<void> {
    const { gdb } = this.#vm;
    await gdb.removeBreakpoint(splitAddress);
    await this.#stopAt(returnAddress, async () => {
      await gdb.removeBreakpoint(returnAddress);
      await gdb.insertBreakpoint(splitAddress);
      return {};
    });
  }

  /** set_memory_ro(addr, numpages) of arch/arm64/mm/pageattr.c; in a realm's early boot a request may be refused, so each is recorded. */
  async #atSetMemoryRo({ thread, registers }: BreakpointStop, splitAddress: bigint): Promise<RunOptions> {
    const { pc, x0, x1, x30 } = registers;
    if (this.#capabilitiesFinal) {
      const frames = await mappedFrames(this.#vm, thread, x0, Number(BigInt.asIntN(32, x1)));
      const before = checkpointNames[this.#evidence.captures.length] ?? 'init';
      this.#evidence.protectRequests = [...(this.#evidence.protectRequests ?? []), { frames, before }];
      await this.#pauseSplits(splitAddress, x30);
    }
    await this.#vm.gdb.stepOver(thread, pc);
    return {};
  }

  /**
   * kfence_init() makes the guard pages of its pool invalid one by one. map_mem() has mapped the pool as pages, so these requests
   * split nothing, and they are as many as half of all.
   */
  async #atKfenceInit({ registers }: BreakpointStop, splitAddress: bigint): Promise<RunOptions> {
    const { gdb } = this.#vm;
    await gdb.removeBreakpoint(registers.pc);
    await this.#pauseSplits(splitAddress, registers.x30);
    return {};
  }

  /** realm_set_memory_decrypted(addr, numpages) and its counterpart of arch/arm64/mm/pageattr.c. */
  async #traceSharing(): Promise<void> {
    const { smpCpusDone, decrypt, encrypt } = this.#plan;
    const sharing: SharingRequest[] = [];
    this.#evidence.sharing = sharing;
    this.#capabilitiesFinal = false;
    await this.#stopAtSymbol(smpCpusDone, async ({ registers }) => {
      this.#capabilitiesFinal = true;
      await this.#vm.gdb.removeBreakpoint(registers.pc);
      return {};
    });
    const record = (direction: SharingRequest['direction']) => async (stop: BreakpointStop) => {
      const before = checkpointNames[this.#evidence.captures.length] ?? 'init';
      const request = await readSharingRequest(this.#vm.gdb, this.#kernel, stop);
      sharing.push({ ...request, direction, capabilitiesFinal: this.#capabilitiesFinal, before });
      await this.#vm.gdb.stepOver(stop.thread, stop.registers.pc);
      return {};
    };
    await this.#stopAtSymbol(decrypt, record('decrypt'));
    await this.#stopAtSymbol(encrypt, record('encrypt'));
  }

  async #atFreeInitmem({ thread, registers }: BreakpointStop): Promise<RunOptions> {
    await this.#vm.gdb.removeBreakpoint(registers.pc);
    await this.#capture('free_initmem', thread);
    await this.#stopAtSymbol(this.#plan.reboot, (stop) => this.#atReboot(stop));
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
    const early = this.#capabilitiesFinal ? {} : { early: true as const };
    this.#evidence.splitRequests.push({ start: x0, end: x1, before, ...early });
    if (skippable) {
      return { resumeAt: pc + 4n };
    }
    await this.#vm.gdb.stepOver(thread, pc);
    return {};
  }

  /** Lets a panicking kernel print all that it will. */
  async #lastWords(runner: GuestRunner): Promise<BootEnd> {
    const { console } = this.#vm;
    runner.watchdog = new Watchdog({ ...this.#watchdog.limits, cpuSeconds: 5, idleSeconds: 5 });
    await runner.run({ until: () => hasFinishedPanic(console.text()) });
    return this.#panicked();
  }

  async #panicked(): Promise<BootEnd> {
    this.#vm.console.poll(this.#watchdog.limits.consoleBytes);
    const message = panicMessage(this.#vm.console.text());
    return this.#ended(
      'panic',
      message ?? `without a word on its console; ${await describeStuck(this.#vm, this.#kernel)}`,
    );
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
