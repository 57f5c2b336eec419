// SPDX-License-Identifier: GPL-2.0-only
import type { MachineBlobs } from '../../results/case-inputs.ts';
import type { CheckpointName } from '../../src/evidence/capture.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { Depth } from '../../src/scenario/depth.ts';
import type { Machine } from '../../src/scenario/types.ts';
import type { Granule } from '../../src/vmsa/types.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import type { Hold } from './held-machine.ts';

/** What happened in a boot, for a progress display. */
export type BootEvent =
  /** What is needed to boot the same again (see repro.ts). */
  | ({ kind: 'prepared'; machine: QemuMachine } & MachineBlobs)
  | { kind: 'started'; pid: number }
  | { kind: 'checkpoint'; checkpoint: CheckpointName }
  | { kind: 'note'; text: string };

/** When a guest that shows no progress is given up; see watchdog.ts. */
export interface WatchdogLimits {
  /** Seconds of CPU time of one thread of QEMU without progress. */
  cpuSeconds: number;
  /** Seconds of wall clock during which QEMU was neither running nor ready to run. */
  idleSeconds: number;
  /** Seconds of both together without reaching a stop, whatever the guest printed. */
  stalledSeconds: number;
  /** Bytes of console output in one boot. */
  consoleBytes: number;
}

/** Everything that one boot needs; it looks up nothing elsewhere. */
export interface CaseSetup {
  /** A plain arm64 Image. */
  kernel: { imagePath: string; release: string };
  symbols: SymbolTable;
  machine: Machine;
  /** QEMU's -cpu argument, e.g. `max,midr=0x410fd842,pauth=off`. */
  cpu: string;
  commandLine: string;
  /** Seed of everything that the emulator makes random; default: defaultSeed. */
  seed?: number;
  /** Path of the initial RAM disk. */
  initramfs: string;
  /** The realm monitor's code, from buildMonitor(); for machines with a `firmware`. */
  monitor?: Uint8Array;
  /** Device tree and monitor of an earlier boot, used unchanged instead of new ones. */
  blobs?: MachineBlobs;
  /** First arguments of every QEMU command: the emulator itself, or its loader and options. */
  emulator: { command: string[] };
  /**
   * Existing folder for scratch files; a tmpfs with room for the guest's memory is best. It is left
   * as it was.
   */
  directory: string;
  /**
   * set_memory_ro() changes the aliases of exactly the pages that it is given, so its split
   * requests follow from its arguments (change_memory_common(), arch/arm64/mm/pageattr.c from 6.19
   * on).
   */
  groupProtection?: boolean;
  /**
   * Address of the array of struct page, which shows which pages are free when debug_pagealloc is
   * on.
   */
  vmemmap: bigint;
  /** The kernel's page size in bytes. */
  granule: Granule;
  /**
   * Observe requests to change the linear map by breakpoints, although the boot is recorded: for
   * those who compare both.
   */
  requestsByBreakpoints?: boolean;
  /** How far to boot; default: full. A kernel that has no early end is booted in full. */
  depth?: Depth;
  /** Path of the recorder, from buildRecorder(); absent: nothing is recorded. */
  recorderLibrary?: string;
  /** Hands the machine over to a user at a checkpoint instead of continuing. */
  hold?: Hold;
  watchdog?: WatchdogLimits;
  signal: AbortSignal;
  onEvent(event: BootEvent): void;
}
