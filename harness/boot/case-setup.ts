// SPDX-License-Identifier: GPL-2.0-only
import type { MachineBlobs } from '../../results/case-inputs.ts';
import type { CheckpointName } from '../../src/evidence/capture.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { Machine } from '../../src/scenario/types.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import type { Hold } from './held-machine.ts';

/** What happened in a boot, for a progress display. */
export type BootEvent =
  /** What it takes to boot the same again (see repro.ts). */
  | ({ kind: 'prepared'; machine: QemuMachine } & MachineBlobs)
  | { kind: 'started'; pid: number }
  | { kind: 'checkpoint'; checkpoint: CheckpointName }
  | { kind: 'note'; text: string };

/** When a guest that shows no progress is given up; see watchdog.ts. */
export interface WatchdogLimits {
  /** Seconds of CPU time of one thread of QEMU without progress. */
  cpuSeconds: number;
  /** Seconds of wall clock in which QEMU neither ran nor wanted to. */
  idleSeconds: number;
  /** Seconds of both together in which it reached no stop, whatever it printed. */
  stalledSeconds: number;
  /** Bytes of console output in one boot. */
  consoleBytes: number;
}

/** Everything that one boot needs; nothing is looked up elsewhere. */
export interface CaseSetup {
  /** A plain arm64 Image. */
  kernel: { imagePath: string; release: string };
  symbols: SymbolTable;
  machine: Machine;
  /** QEMU's -cpu argument, e.g. `max,midr=0x410fd842,pauth=off`. */
  cpu: string;
  commandLine: string;
  /** Seed of what the emulator draws by lot; default: defaultSeed. */
  seed?: number;
  /** Path of the initial RAM disk. */
  initramfs: string;
  /** The realm monitor's code, of buildMonitor(); for machines with a `firmware`. */
  monitor?: Uint8Array;
  /** Device tree and monitor of an earlier boot, to be used as they are instead of new ones. */
  blobs?: MachineBlobs;
  /** First arguments of every QEMU command: the emulator itself, or its loader and options. */
  emulator: { command: string[] };
  /**
   * Existing folder for scratch files; a tmpfs with room for the guest's memory is best. Left as it
   * was found.
   */
  directory: string;
  /**
   * set_memory_ro() changes the aliases of just the pages that it names, so that its requests to
   * split follow from its arguments (change_memory_common(), arch/arm64/mm/pageattr.c from 6.19
   * on).
   */
  groupProtection?: boolean;
  /**
   * Where the array of struct page begins, which tells which pages are free where debug_pagealloc
   * is on.
   */
  vmemmap: bigint;
  /** Give the machine to a person at a checkpoint instead of going on. */
  hold?: Hold;
  watchdog?: WatchdogLimits;
  signal: AbortSignal;
  onEvent(event: BootEvent): void;
}
