// SPDX-License-Identifier: GPL-2.0-only
import type { MemblockRegion } from '../linux/memblock.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { SystemRegisters, WalkResult } from '../vmsa/types.ts';
import type { MonitorCall, MonitorView, RsiFunction } from './monitor-report.ts';

/** Named instants of the boot at which the tables are captured, in order of time. */
export const checkpointNames = [
  'paging_init',
  'before_split',
  'after_split',
  'free_initmem',
  'init',
] as const;
export type CheckpointName = (typeof checkpointNames)[number];

/**
 * Entry and return of linear_map_maybe_split_to_ptes(), which every kernel that has it calls: it
 * repaints the linear map where CPUs differ.
 */
export const splitCheckpoints: readonly CheckpointName[] = ['before_split', 'after_split'];

/**
 * The checkpoints of a kernel that has linear_map_maybe_split_to_ptes() or does not, in order of
 * time.
 */
export function checkpointsOf(maySplit: boolean): CheckpointName[] {
  return checkpointNames.filter((name) => maySplit || !splitCheckpoints.includes(name));
}

/** Whether a boot comes to `checkpoint` before it comes to `other`. */
export function isBefore(checkpoint: CheckpointName, other: CheckpointName): boolean {
  return checkpointNames.indexOf(checkpoint) < checkpointNames.indexOf(other);
}

/** What the harness read from outside at one checkpoint, with the guest stopped. */
export interface Capture {
  checkpoint: CheckpointName;
  /**
   * One entry per CPU in QEMU's order; a CPU that is off, or that the kernel refused, has `online`
   * false.
   */
  cpus: { online: boolean; registers: SystemRegisters }[];
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
   * memblock's ranges of memory, ascending; absent when this kernel keeps none at this checkpoint.
   */
  memblock?: MemblockRegion[];
  /**
   * Memory that the page allocator holds as free, ascending [start, end) in bytes; with
   * debug_pagealloc only.
   */
  freePages?: PhysicalRange[];
  /**
   * What the realm monitor saw so far, where one runs below the kernel; of its aborts the newest.
   */
  monitor?: MonitorView;
}

/**
 * One request that the kernel made of split_kernel_leaf_mapping(start, end), recorded by
 * breakpoint: the model cannot know when the kernel allocates memory that it write-protects, but it
 * does know what each request must do.
 */
export interface SplitRequest {
  start: bigint;
  end: bigint;
  /** The next checkpoint after the request. */
  before: CheckpointName;
  /**
   * Made by a realm before its CPU capabilities were final: part of a sharing request, which says
   * what becomes of it.
   */
  early?: true;
}

/**
 * One call of set_memory_ro() under rodata_full, recorded at its entry: the kernel then asks for a
 * split at every page of the frames' linear alias, up to 512 times for one BPF program pack. These
 * requests are not recorded one by one.
 */
export interface ProtectRequest {
  /** Physical ranges [start, end) in bytes that the vmalloc addresses map, in their order. */
  frames: PhysicalRange[];
  /** The next checkpoint after the request. */
  before: CheckpointName;
}

/**
 * One request to change between private and shared memory, recorded at realm_set_memory_decrypted()
 * or realm_set_memory_encrypted() (arch/arm64/mm/pageattr.c).
 */
export interface SharingRequest {
  /** First linear address, and number of pages of the kernel's size. */
  start: bigint;
  pages: number;
  direction: 'decrypt' | 'encrypt';
  /** Whether smp_cpus_done() had been reached: from there on the CPU capabilities are final. */
  capabilitiesFinal: boolean;
  /** CPUs that were online at that moment (__num_online_cpus). */
  onlineCpus: number;
  /** page_alloc_available, on kernels that have it. */
  pageAllocator?: boolean;
  /** Kernel function that asked, by the return address: for the reader, no rule depends on it. */
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
   * Calls of any kind that the monitor's ring lost before they were read: then the record does not
   * tell what is missing.
   */
  lost: number;
}

/**
 * What the guest's own files said. Text of the guest is hostile: bounded by the reader, never
 * trusted.
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
  /** Physical addresses of the pages that the probe touched, from /proc/self/pagemap. */
  pages: number[];
  /**
   * Of a device: the bytes that came from it, or the last of them; hexadecimal, as the guest wrote
   * them.
   */
  data?: string;
}

/**
 * How a boot ends before its init is ready: the kernel panics, comes no further, or takes the
 * machine down.
 */
export const earlyEnds = ['panic', 'hang', 'died'] as const;
export type EarlyEnd = (typeof earlyEnds)[number];

/** How the boot ended. */
export type BootEnd =
  | { kind: 'completed' }
  | { kind: EarlyEnd; reason: string; lastCheckpoint?: CheckpointName };

/** Everything that was observed of one boot. */
export interface Evidence {
  captures: Capture[];
  splitRequests: SplitRequest[];
  protectRequests?: ProtectRequest[];
  /**
   * With debug_pagealloc and KPTI: memory that the page allocator held as free when the tables were
   * rewritten, as in Capture.
   */
  freeAtKpti?: PhysicalRange[];
  /** Only in a realm, and where the kernel shows the functions that ask. */
  sharing?: SharingRequest[];
  /** Only in a realm. */
  rsi?: RsiRecord;
  /** What the realm monitor had seen at the end of the boot, however it ended. */
  monitor?: MonitorView;
  files: GuestFiles;
  probes: ProbeResult[];
  /**
   * What went wrong inside the guest's init, and records of it that could not be believed; hostile
   * text.
   */
  guestProblems?: string[];
  console: string;
  end: BootEnd;
  /**
   * What could not be looked at, as the kernel's symbol table lacks what it takes; `why` is a
   * clause.
   */
  unseen?: { what: CheckpointName | 'splits' | 'sharing' | 'kpti'; why: string }[];
  /**
   * The longest time that one CPU of the guest wanted a CPU of the host and had none; absent where
   * the host does not tell.
   */
  hostWaitSeconds?: number;
  /** Physical address of the Image and the KASLR slide in bytes (0 with nokaslr). */
  image: { pa: number; slide: bigint };
  /**
   * ID registers of each CPU in QEMU's order, by name, as far as the emulator shows them (MIDR_EL1
   * it does not).
   */
  idRegisters: Record<string, bigint>[];
}
