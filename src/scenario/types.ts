// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { deviceNames } from './devices.ts';
import { type IdRegisterName, idRegisters } from './id-registers.ts';

/**
 * Version of the schema below, stored beside every scenario in ptdiff's own files. Adding a member
 * does not raise it; changing the meaning of a member, or removing one, does.
 */
export const scenarioVersion = 1;

/** Probes that the guest's init can run. */
export const probeNames = ['memfd_secret', 'cpu_online', 'cpu_hotplug'] as const;
export type ProbeName = (typeof probeNames)[number];

/**
 * What init does with tables once everything was captured, where the boot is recorded
 * (guest/init/exercises.c).
 */
export const exerciseNames = [
  'user_tables',
  'migration',
  'together',
  'bpf',
  'vmalloc',
  'module',
  'secret_release',
] as const;
/** Asks init for them. */
export const exerciseWord = 'ptdiff.exercise=yes';

/**
 * What init is asked to run guest/collect with, as on a live machine; a board with a past has split
 * its linear map before, and a busy one does while it is collected (guest/init/churn.h).
 */
export const boardWord = 'ptdiff.collect=board';
export type BoardLife = 'past' | 'busy';
export type ExerciseName = (typeof exerciseNames)[number];

const count = z.int().nonnegative();

/** A physical range in bytes, as in a scenario's file. */
const memoryRangeSchema = z.object({ start: count, size: count });
export type MemoryRange = z.infer<typeof memoryRangeSchema>;

/** Bits of an ID register that read differently from the CPU's own. */
export const idFieldSchema = z.object({
  register: z.enum(Object.keys(idRegisters) as [IdRegisterName, ...IdRegisterName[]]),
  /** As the Arm ARM writes them, e.g. '3:0'. */
  bits: z.string(),
  /** The value of the bits, as a number of their width. */
  value: count,
  /** Numbers of the CPUs that show it; default: all. */
  cpus: z.array(count).optional(),
});
export type IdField = z.infer<typeof idFieldSchema>;

/**
 * The emulated hardware of a scenario. Strict: ignoring a member that a later version added would
 * make it another machine.
 */
export const machineSchema = z.strictObject({
  /**
   * Name of a CPU identity (see cpus.ts), e.g. 'max', 'neoverse-v3-r0p2', 'cortex-a76', or any
   * other by its MIDR_EL1: 'midr-0x410fd842'.
   */
  cpu: z.string(),
  /** Number of CPUs. */
  cpus: count,
  /** Memory in MiB. */
  memory: count,
  /**
   * Physical ranges that the device tree reserves with no-map, in bytes: they cut RAM into several
   * regions.
   */
  holes: z.array(memoryRangeSchema),
  /**
   * Memory nodes of the device tree, each with the ranges of its `reg`; memory that is in none of
   * them does not exist for the guest. Default: one node with all of it. Needs a firmware: QEMU's
   * own boot loader always writes its own node.
   */
  nodes: z.array(z.array(memoryRangeSchema)).optional(),
  /** The world in which the guest runs. */
  world: z.enum(['normal', 'realm']),
  /**
   * What runs below the kernel: nothing (the default); the realm monitor at EL2; or the monitor at
   * R-EL2 behind FEAT_RME. A realm needs a monitor, and so do CPUs whose identities differ.
   */
  firmware: z.enum(['monitor', 'monitor-rme']).optional(),
  /**
   * The kernel is entered at EL2, as by the firmware of a board, and not at EL1: it keeps EL2 for
   * KVM. Only where it then goes on at EL1, whose registers are read: on CPUs without FEAT_VHE, or
   * with kvm-arm.mode=nvhe.
   */
  entry: z.literal('el2').optional(),
  /**
   * Identities of the CPUs after the first, where they differ from `cpu`: entry i is the identity
   * of CPU i + 1.
   */
  others: z.array(z.string()).optional(),
  /**
   * Register fields that the monitor shows with other values than the CPUs have; needs a firmware.
   * A later entry wins over an earlier one.
   */
  idFields: z.array(idFieldSchema).optional(),
  /**
   * The CPUs after the first stay off during the boot (maxcpus=1); the probe cpu_online brings them
   * up from user space.
   */
  late: z.literal(true).optional(),
  /** False removes the GIC's Interrupt Translation Service, whose tables a realm must share. */
  its: z.literal(false).optional(),
  /** Devices that do DMA. Each has a probe of its own, in addition to those of the scenario. */
  devices: z.array(z.enum(deviceNames)).optional(),
});
export type Machine = z.infer<typeof machineSchema>;

/**
 * A kernel-independent experiment: machine, boot parameters and probes. ptdiff's own files hold it
 * in this form, with a value for every member that is not optional. What a user may write is
 * narrower, and most of it may be left out (`scenarioFileSchema`).
 */
export const scenarioSchema = z.object({
  /** Unique among the scenarios of a run; letters, digits, '.', '_', '+', '-'. */
  name: z.string(),
  machine: machineSchema,
  /** Value of rodata=, kernel independent: `noalias` is spelt `on` before 6.18. */
  rodata: z.enum(['default', 'noalias', 'off']),
  /** kfence.sample_interval= in milliseconds; undefined leaves the kernel's default. */
  kfenceSampleInterval: z.number().optional(),
  kaslr: z.boolean(),
  /**
   * Seed of everything that the emulator makes random: the KASLR seed of the device tree, and RNDR.
   * Without it, a fixed seed is used.
   */
  seed: count.optional(),
  /** Boots without the savings of lean.ts. */
  plain: z.literal(true).optional(),
  /** Further kernel parameters, verbatim. */
  parameters: z.array(z.string()),
  probes: z.array(z.enum(probeNames)),
});
export type Scenario = z.infer<typeof scenarioSchema>;
export type Rodata = Scenario['rodata'];

/** Whether one of the probes brings CPUs up from user space. */
export function asksForCpus(probes: readonly string[]): boolean {
  return probes.includes('cpu_online') || probes.includes('cpu_hotplug');
}

/** All probes of a scenario, in the order in which init runs them. */
export function probesOf({ probes, machine }: Pick<Scenario, 'probes' | 'machine'>): string[] {
  return [...probes, ...(machine.devices ?? [])];
}
