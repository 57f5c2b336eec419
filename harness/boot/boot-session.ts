// SPDX-License-Identifier: GPL-2.0-only
import { timed, timedNow } from '../../host/timed.ts';
import {
  addUnseen,
  type BootEnd,
  type CheckpointName,
  type Evidence,
  earlyEnd,
} from '../../src/evidence/capture.ts';
import { guestEvent, guestEvents, rebootArgumentBytes } from '../../src/evidence/guest-events.ts';
import { last } from '../../src/present.ts';
import { shownIdRegisters } from '../../src/scenario/id-overrides.ts';
import { longestCpuWait } from '../emulator/qemu-process.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import { BootEnds } from './boot-ends.ts';
import { type BootInProgress, beginObservation } from './boot-in-progress.ts';
import { BootRequests } from './boot-requests.ts';
import { captureCheckpoint, readIdRegisters } from './capture-checkpoint.ts';
import type { CaseSetup } from './case-setup.ts';
import { planStops, type StopPlan } from './checkpoints.ts';
import { PanicWatch } from './guest-failure.ts';
import { collectRecords } from './guest-records.ts';
import {
  type BreakpointStop,
  GuestRunner,
  type GuestStop,
  type RunOptions,
} from './guest-runner.ts';
import { giveToDebugger, type Hold } from './held-machine.ts';
import type { ImageAnchor } from './image-anchor.ts';
import { readKernelLog } from './kernel-log.ts';
import { viewOfMonitor } from './monitor-witness.ts';
import { recordKpti } from './record-kpti.ts';
import { RsiRecorder } from './record-rsi.ts';
import type { RecordingWitness } from './recording-witness.ts';
import { defaultLimits, Watchdog } from './watchdog.ts';

/** One boot from reset to its end: its checkpoints, and how it ends. */
export class BootSession {
  readonly #setup: CaseSetup;
  readonly #anchor: ImageAnchor;
  readonly #watchdog: Watchdog;
  readonly #boot: BootInProgress;
  readonly #plan: StopPlan;
  /** Checkpoints to come. */
  #planned: CheckpointName[];
  readonly #rsi: RsiRecorder | undefined;
  /** Physical address of the directory page of init's records; 0 until init has sent it. */
  #directory = 0;
  readonly #recording: RecordingWitness | undefined;
  readonly #requests: BootRequests;
  readonly #ends: BootEnds;
  /** Everything was captured, and init goes on. */
  #exercising = false;

  constructor(
    setup: CaseSetup,
    vm: VirtualMachine,
    anchor: ImageAnchor,
    recording?: RecordingWitness,
  ) {
    this.#setup = setup;
    this.#recording = recording;
    this.#anchor = anchor;
    this.#watchdog = new Watchdog(setup.watchdog ?? defaultLimits);
    this.#plan = planStops(setup.symbols);
    this.#rsi =
      vm.monitor && setup.machine.world === 'realm' ? new RsiRecorder(vm.monitor) : undefined;
    const { boot, planned } = beginObservation(setup, vm, anchor, this.#plan);
    this.#boot = { ...boot, nextCheckpoint: () => this.#planned[0] };
    this.#planned = planned;
    const panic = new PanicWatch(vm.ram, setup.symbols, anchor.imagePa);
    this.#ends = new BootEnds(this.#boot, panic, this.#watchdog);
    this.#requests = new BootRequests(setup, anchor, this.#boot, recording?.requests);
  }

  async observe(): Promise<Evidence> {
    const { vm, evidence, breakpoints } = this.#boot;
    await breakpoints.once(BigInt(this.#anchor.branchPa), (stop) => this.#atAnchor(stop));
    const runner = new GuestRunner(vm, this.#watchdog);
    try {
      evidence.end = await this.#runToEnd(runner);
    } finally {
      runner.close();
    }
    return timedNow('walking', () => this.#collect());
  }

  /** What is read when the guest has come to its end. */
  #collect(): Evidence {
    const { vm, evidence } = this.#boot;
    const cpuWait = longestCpuWait(vm.pid);
    if (cpuWait !== undefined) {
      // For the guest's watchdogs, a stopped QEMU looks like one without a CPU.
      evidence.hostWaitSeconds = Math.max(cpuWait, this.#watchdog.longestStop);
    }
    if (vm.monitor) {
      evidence.monitor = viewOfMonitor(vm.monitor);
      const next = this.#boot.nextCheckpoint();
      if (next !== undefined) this.#rsi?.readUpTo(next, evidence.monitor);
    }
    if (this.#rsi) {
      evidence.rsi = this.#rsi.record;
    }
    Object.assign(evidence, collectRecords(vm.ram, this.#directory));
    vm.console.poll(this.#watchdog.limits.consoleBytes);
    evidence.console = vm.console.text();
    if (this.#recording) {
      const { unseen, ...recorded } = this.#recording.end(this.#boot.kernel, this.#anchor.imagePa);
      Object.assign(evidence, recorded);
      addUnseen(evidence, unseen);
    }
    this.#requests.take();
    return evidence;
  }

  async #runToEnd(runner: GuestRunner): Promise<BootEnd> {
    let step: BootEnd | RunOptions = {};
    while (!('kind' in step)) {
      const stop = await runner.run({
        ...step,
        until: () => this.#ends.begun(),
      });
      this.#ends.checkMonitor(stop);
      step =
        stop.kind === 'enough'
          ? await this.#ends.lastWords(runner)
          : await timed('walking', () => this.#atStop(stop));
    }
    return step;
  }

  async #atStop(stop: Exclude<GuestStop, { kind: 'enough' }>): Promise<BootEnd | RunOptions> {
    return stop.kind === 'breakpoint' ? this.#boot.breakpoints.handle(stop) : this.#ends.at(stop);
  }

  /**
   * The kernel is about to switch to its virtual addresses, so breakpoints by symbol can be set
   * from here on. Each one slows TCG by more than 1 %, so each is set only when it is the next to
   * be reached.
   */
  async #atAnchor({ thread }: BreakpointStop): Promise<RunOptions> {
    const { vm, kernel, breakpoints, evidence } = this.#boot;
    const target = await vm.gdb.readRegister(thread, this.#anchor.register);
    kernel.slide = target - this.#anchor.target;
    breakpoints.slide = kernel.slide;
    evidence.image.slide = kernel.slide;
    evidence.idRegisters = shownIdRegisters(
      await readIdRegisters(vm.gdb),
      vm.monitor?.overrides ?? [],
    );
    await breakpoints.onceAtSymbol(this.#plan.pagingInit, async ({ registers }) => {
      await breakpoints.once(registers.x30, (stop) => this.#atPagingDone(stop));
      return {};
    });
    await breakpoints.onceAtSymbol(this.#plan.afterPagingInit, (stop) => this.#atPagingDone(stop));
    if (this.#plan.pagingInit === undefined) {
      this.#setup.onEvent({
        kind: 'note',
        text: 'paging_init() is inlined: captured at the entry of bootmem_init()',
      });
      if (this.#plan.afterPagingInit === undefined) await this.#afterPagingInit();
    }
    return {};
  }

  async #atPagingDone({ thread }: BreakpointStop): Promise<RunOptions> {
    await this.#capture('paging_init', thread);
    await this.#afterPagingInit();
    return {};
  }

  /** Sets the stops of the rest of the boot. */
  async #afterPagingInit(): Promise<void> {
    const { breakpoints } = this.#boot;
    await breakpoints.onceAtSymbol(this.#plan.maybeSplit, (stop) => this.#atMaybeSplit(stop));
    await breakpoints.onceAtSymbol(this.#plan.capabilitiesFinal, (stop) =>
      this.#atCapabilitiesFinal(stop),
    );
    if (this.#plan.smpCpusDone === undefined) await this.#awaitFreeInitmem();
    const [capture] = this.#boot.evidence.captures;
    if (capture?.variables._debug_pagealloc_enabled_early === 1n) {
      await recordKpti(this.#boot, this.#plan);
    }
    await this.#requests.watch(this.#plan);
  }

  /** From smp_cpus_done() on; the function is left with the alias of the text protected. */
  async #atCapabilitiesFinal({ registers }: BreakpointStop): Promise<RunOptions> {
    this.#boot.capabilitiesFinal = true;
    if (this.#plan.smpCpusDone !== undefined) {
      await this.#boot.breakpoints.once(registers.x30, (stop) => this.#atSmpCpusDone(stop));
    }
    return {};
  }

  async #atSmpCpusDone({ thread }: BreakpointStop): Promise<BootEnd | RunOptions> {
    await this.#capture(earlyEnd, thread);
    if (this.#setup.depth === 'early') return this.#stopEarly();
    await this.#awaitFreeInitmem();
    return {};
  }

  /** Takes what init would have sent of the kernel's log from the kernel's own memory. */
  #stopEarly(): BootEnd {
    const { vm, kernel, evidence } = this.#boot;
    const log = readKernelLog(vm, kernel, last(evidence.captures));
    if (log === undefined) {
      const why = 'its ring of log records could not be read from its memory';
      addUnseen(evidence, [{ what: 'log', why }]);
    } else evidence.files = { dmesg: log };
    return { kind: 'stopped' };
  }

  async #awaitFreeInitmem(): Promise<void> {
    const { freeInitmem } = this.#plan;
    if (freeInitmem === undefined) await this.#awaitInit();
    else
      await this.#boot.breakpoints.onceAtSymbol(freeInitmem, (stop) => this.#atFreeInitmem(stop));
  }

  /**
   * linear_map_maybe_split_to_ptes() of arch/arm64/mm/mmu.c, at its entry; the boot CPU repaints
   * while the others wait in stop_machine().
   */
  async #atMaybeSplit({ thread, registers }: BreakpointStop): Promise<RunOptions> {
    const { breakpoints } = this.#boot;
    await this.#capture('before_split', thread);
    await breakpoints.once(registers.x30, async (stop) => {
      await this.#capture('after_split', stop.thread);
      return {};
    });
    return {};
  }

  async #atFreeInitmem({ thread }: BreakpointStop): Promise<RunOptions> {
    await this.#capture('free_initmem', thread);
    await this.#awaitInit();
    return {};
  }

  async #awaitInit(): Promise<void> {
    await this.#boot.breakpoints.alwaysAtSymbol(this.#plan.reboot, (stop) => this.#atReboot(stop));
  }

  async #capture(checkpoint: CheckpointName, thread: string): Promise<void> {
    const { vm, kernel, evidence } = this.#boot;
    const capture = await captureCheckpoint(vm, kernel, checkpoint, thread);
    evidence.captures.push(capture);
    this.#recording?.reach(capture);
    if (capture.monitor) {
      this.#rsi?.readUpTo(checkpoint, capture.monitor);
    }
    const passed = this.#planned.splice(0, this.#planned.indexOf(checkpoint) + 1).slice(0, -1);
    const missed = passed.map((what) => ({ what, why: 'the kernel never reached it' }));
    addUnseen(evidence, missed);
    this.#setup.onEvent({ kind: 'checkpoint', checkpoint });
    if (this.#setup.hold?.checkpoint === checkpoint) await this.#give(this.#setup.hold);
  }

  async #give({ gdbSocket, until }: Hold): Promise<void> {
    const { vm, kernel, breakpoints } = this.#boot;
    await breakpoints.clear();
    await giveToDebugger(vm, gdbSocket);
    await until({ pid: vm.pid, gdbSocket, slide: kernel.slide });
    this.#setup.signal.throwIfAborted();
  }

  /** Entry of __arm64_sys_reboot(regs): an event of ptdiff's init, or a real reboot. */
  async #atReboot({ thread, registers }: BreakpointStop): Promise<BootEnd | RunOptions> {
    const { gdb } = this.#boot.vm;
    const event = guestEvent(await gdb.readMemory(thread, registers.x0, rebootArgumentBytes));
    this.#directory = event?.directory ?? this.#directory;
    if (event?.event === guestEvents.ready) {
      await this.#capture('init', thread);
      if (this.#recording === undefined) return { kind: 'completed' };
      await this.#awaitExercises();
    }
    if (event?.event === guestEvents.bye && this.#exercising) return { kind: 'completed' };
    await gdb.stepOver(thread, registers.pc);
    return {};
  }

  /**
   * A recording goes on while init exercises its tables (guest/init/exercises.c). What it asks of
   * the kernel is no fact of the boot any more.
   */
  async #awaitExercises(): Promise<void> {
    this.#exercising = true;
    await this.#boot.breakpoints.clear();
    await this.#awaitInit();
  }
}
