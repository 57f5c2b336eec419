// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName, Evidence } from '../../src/evidence/capture.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import type { Breakpoints } from './breakpoints.ts';
import type { RunningKernel } from './capture-checkpoint.ts';

/** A boot that is being observed: what those who record parts of it share. */
export interface ObservedBoot {
  vm: VirtualMachine;
  kernel: RunningKernel;
  breakpoints: Breakpoints;
  evidence: Evidence;
  /** Whether smp_cpus_done() was reached; watched in a realm only, where it matters. */
  capabilitiesFinal: boolean;
  /** The checkpoint that comes next. */
  nextCheckpoint(): CheckpointName;
}
