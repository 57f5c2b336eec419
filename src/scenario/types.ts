// SPDX-License-Identifier: GPL-2.0-only
import type { DeviceName } from './devices.ts';
import type { IdRegisterName } from './id-registers.ts';

/** A physical range in bytes, as a scenario's file writes it. */
export interface MemoryRange {
  start: number;
  size: number;
}

/** Bits of an ID register that read otherwise than the CPU has them. */
export interface IdField {
  register: IdRegisterName;
  /** As the Arm ARM writes them, e.g. '3:0'. */
  bits: string;
  /** What the bits hold, as a number of their width. */
  value: number;
  /** Numbers of the CPUs that show it; default: all. */
  cpus?: number[];
}

/** The emulated hardware of a scenario. */
export interface Machine {
  /** Name of a CPU identity (see cpus.ts), e.g. 'max', 'neoverse-v3-r0p2', 'cortex-a76'. */
  cpu: string;
  /** Number of CPUs. */
  cpus: number;
  /** Memory in MiB. */
  memory: number;
  /**
   * Physical ranges that the device tree reserves with no-map, in bytes: they cut RAM into several
   * regions.
   */
  holes: MemoryRange[];
  /**
   * Memory nodes of the device tree, each with the ranges of its `reg`; what none names of the
   * memory does not exist for the guest. Default: one node with all of it. Needs a firmware: QEMU's
   * own boot loader writes the one node that it knows.
   */
  nodes?: MemoryRange[][];
  /** World the guest runs in. */
  world: 'normal' | 'realm';
  /**
   * What runs below the kernel: nothing (the default); the realm monitor at EL2; or the monitor at
   * R-EL2 behind FEAT_RME. A realm needs a monitor, and so do CPUs whose identities differ.
   */
  firmware?: 'monitor' | 'monitor-rme';
  /**
   * Identities of the CPUs after the first, where they differ from `cpu`: entry i is that of CPU i
   * + 1.
   */
  others?: string[];
  /**
   * What the monitor shows of the CPUs otherwise than they are; needs a firmware. A later entry
   * wins over an earlier one.
   */
  idFields?: IdField[];
  /**
   * The CPUs after the first stay off during the boot (maxcpus=1); the probe cpu_online brings them
   * up from user space.
   */
  late?: true;
  /** False takes the GIC's Interrupt Translation Service away, whose tables a realm must share. */
  its?: false;
  /** Devices that do DMA. Each is asked by a probe of its own, beside those of the scenario. */
  devices?: DeviceName[];
}

/** Probes that the guest's init can run. */
export const probeNames = ['memfd_secret', 'cpu_online', 'cpu_hotplug'] as const;
export type ProbeName = (typeof probeNames)[number];

/** Whether one of the probes brings CPUs up from user space. */
export function asksForCpus(probes: readonly string[]): boolean {
  return probes.includes('cpu_online') || probes.includes('cpu_hotplug');
}

/** Value of rodata=, kernel independent: `noalias` is spelt `on` before 6.18. */
export type Rodata = 'default' | 'noalias' | 'off';

/** All probes of a scenario, in the order in which init runs them. */
export function probesOf({ probes, machine }: Pick<Scenario, 'probes' | 'machine'>): string[] {
  return [...probes, ...(machine.devices ?? [])];
}

/** A kernel-independent experiment: machine, boot parameters and probes. */
export interface Scenario {
  /** Unique among the scenarios of a run; letters, digits, '.', '_', '+', '-'. */
  name: string;
  machine: Machine;
  rodata: Rodata;
  /** kfence.sample_interval= in milliseconds; undefined leaves the kernel's default. */
  kfenceSampleInterval?: number;
  kaslr: boolean;
  /**
   * Seed of all that the emulator draws by lot: the KASLR seed of the device tree, and RNDR. One
   * fixed seed where it is left out.
   */
  seed?: number;
  /** Boots with what lean.ts leaves out otherwise. */
  plain?: true;
  /** Further kernel parameters, verbatim. */
  parameters: string[];
  probes: ProbeName[];
}
