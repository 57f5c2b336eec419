// SPDX-License-Identifier: GPL-2.0-only
import type { MemblockRegion } from '../linux/memblock.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { RecordedFunction } from '../linux/recorded-functions.ts';
import type { SystemRegisters, WalkResult } from '../vmsa/types.ts';
import type { MonitorCall, MonitorView, RsiFunction } from './monitor-report.ts';

/**
 * Named points at which the tables are captured, in order of time: those of a boot, and `live`, at
 * which a board was read while it ran, or a dump of it was made.
 */
export const checkpointNames = [
  'paging_init',
  'before_split',
  'after_split',
  'smp_cpus_done',
  'free_initmem',
  'init',
  'live',
] as const;
export type CheckpointName = (typeof checkpointNames)[number];

/** Those of a boot that the harness makes. */
export const bootCheckpoints = checkpointNames.filter((name) => name !== 'live');

/**
 * Entry and return of linear_map_maybe_split_to_ptes(). Every kernel that has this function calls
 * it; it repaints the linear map where CPUs differ.
 */
export const splitCheckpoints: readonly CheckpointName[] = ['before_split', 'after_split'];

/**
 * The checkpoints of a kernel with or without linear_map_maybe_split_to_ptes(), in order of time.
 */
export function checkpointsOf(maySplit: boolean): CheckpointName[] {
  return bootCheckpoints.filter((name) => maySplit || !splitCheckpoints.includes(name));
}

/**
 * Where an early boot ends: smp_cpus_done() has returned. The linear map is made, the capabilities
 * are final, CPUs that differ are repainted, KPTI is on and the alias of the kernel's text is
 * read-only; no initcall has run but the early ones.
 */
export const earlyEnd: CheckpointName = 'smp_cpus_done';

/** Whether init runs at a checkpoint: the boot is over, and init memory is free. */
export function isInOperation(checkpoint: CheckpointName): boolean {
  return !isBefore(checkpoint, 'init');
}

/** Whether a boot reaches `checkpoint` before `other`. */
export function isBefore(checkpoint: CheckpointName, other: CheckpointName): boolean {
  return checkpointNames.indexOf(checkpoint) < checkpointNames.indexOf(other);
}

/** What the harness read from outside at one checkpoint, with the guest stopped. */
export interface Capture {
  checkpoint: CheckpointName;
  /**
   * One entry per CPU in QEMU's order; `online` is false for a CPU that is off or that the kernel
   * refused.
   */
  cpus: { online: boolean; registers: SystemRegisters }[];
  /** The registers are those that the model predicts: nobody could read them (boards). */
  registersPredicted?: true;
  /** The kernel half, walked with CPU 0's registers. */
  ttbr1: WalkResult;
  /** The user half of the CPU that runs init; only at `init`. */
  ttbr0?: WalkResult;
  /**
   * Kernel variables read from RAM by symbol, as unsigned integers (see `capturedVariables` in
   * variables.ts); a symbol that this kernel does not have is absent.
   */
  variables: Record<string, bigint>;
  /**
   * memblock's ranges of memory, ascending; absent when this kernel no longer has them at this
   * checkpoint.
   */
  memblock?: MemblockRegion[];
  /**
   * Memory that the page allocator considers free, ascending [start, end) in bytes; with
   * debug_pagealloc only.
   */
  freePages?: PhysicalRange[];
  /**
   * What the realm monitor has recorded so far, where one runs below the kernel, with its newest
   * aborts.
   */
  monitor?: MonitorView;
}

/**
 * One call of split_kernel_leaf_mapping(start, end), recorded by a breakpoint: the model cannot
 * know when the kernel allocates memory that it write-protects, but it does know what each request
 * must do.
 */
export interface SplitRequest {
  start: bigint;
  end: bigint;
  /** The next checkpoint after the request. */
  before: CheckpointName;
  /**
   * A realm made it before its CPU capabilities were final: part of a sharing request, which
   * determines its effect.
   */
  early?: true;
}

/**
 * One call of set_memory_ro() under rodata_full, recorded at its entry. The kernel then requests a
 * split at every page of the frames' linear alias, up to 512 times for one BPF program pack. These
 * requests are not recorded one by one.
 */
export interface ProtectRequest {
  /**
   * Physical ranges [start, end) in bytes that the vmalloc addresses map, in order of these
   * addresses.
   */
  frames: PhysicalRange[];
  /** The next checkpoint after the request. */
  before: CheckpointName;
}

/**
 * One request to change between private and shared memory, recorded at realm_set_memory_decrypted()
 * or realm_set_memory_encrypted() (arch/arm64/mm/pageattr.c).
 */
export interface SharingRequest {
  /** First linear address, and number of pages of the kernel's page size. */
  start: bigint;
  pages: number;
  direction: 'decrypt' | 'encrypt';
  /** Whether smp_cpus_done() had been reached; after that the CPU capabilities are final. */
  capabilitiesFinal: boolean;
  /** CPUs that were online at that moment (__num_online_cpus). */
  onlineCpus: number;
  /** page_alloc_available, on kernels that have it. */
  pageAllocator?: boolean;
  /**
   * The calling kernel function, by the return address: for the reader only; no rule depends on it.
   */
  caller: string;
  before: CheckpointName;
}

/**
 * One call of a realm to the RMM (DEN0137, Realm Services Interface), from the monitor's record.
 */
export interface RsiCall extends Pick<MonitorCall, 'arguments' | 'results' | 'cpu'> {
  rsi: RsiFunction;
  /** The next checkpoint after the call. */
  before: CheckpointName;
}

/** All calls of a realm to the RMM, in order. */
export interface RsiRecord {
  calls: RsiCall[];
  /**
   * Number of calls of any kind that the monitor's ring lost before they were read. If there are
   * any, the record is incomplete.
   */
  lost: number;
}

/**
 * What the guest's own files contained. Text from the guest is hostile: the reader limits its
 * length, and nothing trusts it.
 */
export interface GuestFiles {
  /**
   * By path, e.g. '/proc/iomem'; 'dmesg' for the kernel log; 'kernel_page_tables' for the debugfs
   * dump.
   */
  [name: string]: string;
}

/** Result of one probe as the guest saw it. */
export interface ProbeResult {
  probe: string;
  /** 0 or the errno of the first call that failed. */
  errno: number;
  /** The call that failed, or 'ok'. */
  call: string;
  /** Physical addresses of the pages that the probe touched, according to /proc/self/pagemap. */
  pages: number[];
  /**
   * For a device: the bytes received from it, or the last of them; hexadecimal, as the guest wrote
   * them.
   */
  data?: string;
}

/**
 * How a boot may end before its init is ready: the kernel panics, makes no progress, or takes the
 * machine down.
 */
export const earlyEnds = ['panic', 'hang', 'died'] as const;
export type EarlyEnd = (typeof earlyEnds)[number];

/** How the boot ended; `stopped`: by the harness, at the end of an early boot. */
export type BootEnd =
  | { kind: 'completed' | 'stopped' }
  | { kind: EarlyEnd; reason: string; lastCheckpoint?: CheckpointName };

/** Whether a boot came as far as it was to go. */
export function reachedItsEnd(end: BootEnd): end is BootEnd & { kind: 'completed' | 'stopped' } {
  return end.kind === 'completed' || end.kind === 'stopped';
}

/** What happened to the stage 1 tables of one boot, see docs/recording.md. */
export interface Recording {
  /** The functions whose entries and returns are events, by the numbers that these have. */
  functions: RecordedFunction[];
  /** Physical address of the RAM. */
  ramBase: number;
  /** How many bytes of events there were at each checkpoint. */
  moments: { checkpoint: CheckpointName; bytes: number }[];
  /**
   * Where in the kernel each site is, and each place from which a listed function is called, as
   * function+offset, by the numbers that events use; an address where it has no name.
   */
  sites: string[];
  callers: string[];
  /** For RecordingReader. */
  events: Uint8Array;
}

/** Everything that was observed in one boot. */
export interface Evidence {
  captures: Capture[];
  splitRequests: SplitRequest[];
  protectRequests?: ProtectRequest[];
  /**
   * With debug_pagealloc and KPTI: memory that the page allocator considered free when the tables
   * were rewritten, as in Capture.
   */
  freeAtKpti?: PhysicalRange[];
  /**
   * Of a recorded boot: frames that set_memory_ro() had made read-only at a checkpoint, and nothing
   * had unmapped.
   */
  readOnlyVmalloc?: Partial<Record<CheckpointName, PhysicalRange[]>>;
  /** Only in a realm, and where the kernel has symbols for the functions that make the requests. */
  sharing?: SharingRequest[];
  /** Only in a realm. */
  rsi?: RsiRecord;
  /** Of a board: pages of memfd_secret that somebody has, in bytes. */
  secretPages?: PhysicalRange[];
  /**
   * Of a board: memory that came after map_mem() had run, or that is no memory of memblock's at all
   * (ZONE_DEVICE), and what it is.
   */
  addedMemory?: AddedMemory[];
  /** Of a board: virtual addresses [start, end) that never were the same in two walks. */
  unsettled?: { start: bigint; end: bigint }[];
  /** What the realm monitor had recorded by the end of the boot, however the boot ended. */
  monitor?: MonitorView;
  /** What happened to the tables, where it was recorded. */
  recording?: Recording;
  /** In what the recording is not what happened, a sentence: nothing can be concluded then. */
  recordingFault?: string;
  files: GuestFiles;
  /** What guest/collect left, where init was asked to run it as on a live machine. */
  board?: Uint8Array;
  probes: ProbeResult[];
  /**
   * What went wrong inside the guest's init, and records from it that are not plausible; hostile
   * text.
   */
  guestProblems?: string[];
  console: string;
  end: BootEnd;
  /**
   * What could not be observed because the kernel's symbol table lacks what that needs; `why` is a
   * clause.
   */
  unseen?: {
    what: CheckpointName | 'splits' | 'sharing' | 'kpti' | 'log' | 'recording';
    why: string;
  }[];
  /**
   * The longest time for which one CPU of the guest was ready to run but had no CPU of the host;
   * absent where the host does not report it.
   */
  hostWaitSeconds?: number;
  /** Physical address of the Image and the KASLR slide in bytes (0 with nokaslr). */
  image: { pa: number; slide: bigint };
  /**
   * ID registers of each CPU in QEMU's order, by name, as far as the emulator shows them (it does
   * not show MIDR_EL1).
   */
  idRegisters: Record<string, bigint>[];
}

/** Physical memory [start, end) that the boot of the kernel did not map, in bytes. */
export interface AddedMemory extends PhysicalRange {
  /** Noun phrase, e.g. 'hot-added memory of a driver'. */
  what: string;
}

/** The capture of a board; undefined for a boot. */
export function liveCapture({ captures }: Pick<Evidence, 'captures'>): Capture | undefined {
  return captures.find(({ checkpoint }) => checkpoint === 'live');
}

/** Adds to what could not be observed of a boot. */
export function addUnseen(evidence: Evidence, more: NonNullable<Evidence['unseen']> = []): void {
  if (more.length > 0) evidence.unseen = [...(evidence.unseen ?? []), ...more];
}
