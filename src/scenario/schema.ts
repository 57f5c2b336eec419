// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { PtdiffError } from '../errors.ts';
import { contains, sizedRange, sizeOf } from '../linux/physical-range.ts';
import { present } from '../present.ts';
import { hasVhe } from './cpu-registers.ts';
import { findCpu, isOfMax } from './cpus.ts';
import { deviceNames } from './devices.ts';
import { bitRange } from './id-registers.ts';
import { loadPlaces, roomInARow, usualSizes } from './load-places.ts';
import { leastMemory, memoryRanges, RAM_BASE, ramRanges } from './memory.ts';
import { fieldInstead, isWholeParameter } from './parameters.ts';
import {
  idFieldSchema,
  type Machine,
  machineSchema,
  type Scenario,
  scenarioSchema,
} from './types.ts';
import { largestSeed } from './variation.ts';

const MIB = 2 ** 20;
const page = (value: number): boolean => value % 4096 === 0;

const cpuName = z
  .string()
  .refine(
    (name) => findCpu(name) !== undefined,
    "must be a CPU of './ptdiff ls cpus', or midr-0x with a MIDR_EL1 in hexadecimal",
  );

const range = z.strictObject({
  start: z.int().refine(page, 'must be page-aligned'),
  size: z.int().positive().refine(page, 'must be whole pages'),
});

/**
 * Fields in which CPUs of one boot may differ: BBM, and HAFDBS and CSV3, whose capabilities the
 * kernel detects per CPU (arch/arm64/kernel/cpufeature.c). For other fields the kernel stops a CPU
 * that lacks what the first one has.
 */
const mayDiffer = ['ID_AA64MMFR2_EL1 55:52', 'ID_AA64MMFR1_EL1 3:0', 'ID_AA64PFR0_EL1 63:60'];

const idField = idFieldSchema
  .extend({
    bits: z
      .string()
      .regex(/^\d{1,2}(:\d{1,2})?$/, "must be written as '55:52' or '7'")
      .refine(
        (bits) => bitRange(bits).msb < 64 && bitRange(bits).lsb <= bitRange(bits).msb,
        'must be within 63:0',
      ),
    cpus: z.array(z.int().nonnegative()).nonempty().optional(),
  })
  .strict()
  .refine(({ bits, value }) => value < 2 ** (bitRange(bits).msb - bitRange(bits).lsb + 1), {
    path: ['value'],
    message: 'has more bits than the field',
  });

const machine = machineSchema.extend({
  cpu: cpuName.default('max'),
  cpus: z.int().min(1).max(8).default(1),
  memory: z.int().min(leastMemory.normal).max(65536).default(1024),
  holes: z.array(range).default([]),
  nodes: z.array(z.array(range).nonempty()).nonempty().optional(),
  world: machineSchema.shape.world.default('normal'),
  others: z.array(cpuName).optional(),
  // The monitor has room for 96; the identities use at most one for each CPU.
  idFields: z.array(idField).nonempty().max(64).optional(),
  devices: z.array(z.enum(deviceNames)).nonempty().optional(),
});

const parameter = z
  .string()
  // With white space it would become two on the command line; the kernel also treats the byte 0xa0
  // of UTF-8 as white space.
  .regex(/^[!-~]+$/, 'must be one word of ASCII each')
  .refine(isWholeParameter, {
    error: ({ input }) =>
      `${input} must close its quotes, and not be '--': the kernel would not see what follows`,
  })
  .refine((word) => fieldInstead(word) === undefined, {
    error: ({ input }) =>
      `${input} must be given as ${fieldInstead(String(input))}, where the model reads it`,
  });

/** A scenario as a user writes it: everything that is left out has a default. */
export const scenarioFileSchema = scenarioSchema
  .extend({
    name: z
      .string()
      .regex(/^[A-Za-z0-9._+-]{1,80}$/, "may have letters, digits, '.', '_', '+' and '-' only"),
    machine: machine.prefault({}),
    rodata: scenarioSchema.shape.rodata.default('default'),
    kfenceSampleInterval: z.int().nonnegative().optional(),
    kaslr: z.boolean().default(false),
    seed: z.int().min(0).max(largestSeed).optional(),
    parameters: z.array(parameter).default([]),
    probes: scenarioSchema.shape.probes.default(['memfd_secret']),
  })
  .strict()
  .refine(monitorWhereNeeded, {
    path: ['machine', 'firmware'],
    message:
      "must be 'monitor' or 'monitor-rme' for a realm, for idFields or for others, of which there are fewer than cpus",
  })
  .refine(hasRme, {
    path: ['machine', 'firmware'],
    message:
      "may be 'monitor-rme' only with a CPU that the emulator makes of its max: only that has FEAT_RME",
  })
  .refine(staysBelowEl2, {
    path: ['machine', 'entry'],
    message:
      "may be 'el2' only without a firmware, and only where the kernel then leaves EL2: on a CPU without FEAT_VHE (cortex-a35, -a53, -a57, -a72), or with the parameter kvm-arm.mode=nvhe",
  })
  .refine(({ machine }) => !machine.late || machine.cpus > 1, {
    path: ['machine', 'late'],
    message: 'is for the CPUs after the first, of which the machine has none',
  })
  .refine(fieldsMayDiffer, {
    path: ['machine', 'idFields'],
    message: `must name CPUs of the machine, and may differ between them in ${mayDiffer.join(', ')} only, between late CPUs in the first of these: in other fields the kernel stops a CPU that differs`,
  })
  .refine(({ machine: { devices } }) => new Set(devices).size === (devices?.length ?? 0), {
    path: ['machine', 'devices'],
    message: 'must not name a device twice',
  })
  .refine(nodesInside, {
    path: ['machine', 'nodes'],
    message: 'must lie inside the memory, which begins at 0x40000000, and not overlap',
  })
  .refine(fitTheMonitor, {
    path: ['machine', 'nodes'],
    message:
      "need a firmware, since QEMU's boot loader knows one node only, and must be 8 pieces of whole 2 MiB at most",
  })
  .refine(holesInside, {
    path: ['machine', 'holes'],
    message: 'must lie inside the memory',
  })
  .refine(
    ({ machine }) => new Set(machine.holes.map(({ start }) => start)).size === machine.holes.length,
    {
      path: ['machine', 'holes'],
      message: 'must begin at different addresses: a device tree has one node for each',
    },
  )
  .refine(isEnough, {
    path: ['machine', 'memory'],
    message: `must be at least ${leastMemory.normal} MiB without its holes, and ${leastMemory.realm} MiB in a realm: with less, a kernel of a distribution runs out of memory`,
  })
  .refine(hasRoom, {
    path: ['machine'],
    error: ({ input }) => roomNeeded((input as Memory).machine),
  });

/** Only the monitor can provide a realm, or CPUs that appear different from what they are. */
function monitorWhereNeeded({
  machine,
}: {
  machine: Omit<Machine, 'idFields'> & { idFields?: unknown };
}): boolean {
  const needed =
    machine.world === 'realm' || machine.others !== undefined || machine.idFields !== undefined;
  return (
    (!needed || machine.firmware !== undefined) && (machine.others?.length ?? 0) < machine.cpus
  );
}

/** A name that no CPU has is complained of elsewhere. */
function hasRme({ machine: { firmware, cpu } }: { machine: Pick<Machine, 'firmware' | 'cpu'> }) {
  const found = findCpu(cpu);
  return firmware !== 'monitor-rme' || found === undefined || isOfMax(found);
}

/** finalise_el2() in arch/arm64/kernel/hyp-stub.S keeps a kernel at EL2 where it finds FEAT_VHE. */
function staysBelowEl2({
  machine: { entry, cpu, firmware },
  parameters,
}: {
  machine: Pick<Machine, 'entry' | 'cpu' | 'firmware'>;
  parameters: string[];
}): boolean {
  if (entry === undefined) return true;
  return firmware === undefined && (!hasVhe(cpu) || parameters.includes('kvm-arm.mode=nvhe'));
}

function fieldsMayDiffer({
  machine,
}: {
  machine: Pick<Machine, 'cpus' | 'late' | 'idFields'>;
}): boolean {
  const allowed = machine.late ? mayDiffer.slice(0, 1) : mayDiffer;
  return (machine.idFields ?? []).every(
    ({ register, bits, cpus = [] }) =>
      cpus.every((cpu) => cpu < machine.cpus) &&
      ([0, machine.cpus].includes(new Set(cpus).size) || allowed.includes(`${register} ${bits}`)),
  );
}

type Memory = { machine: Pick<Machine, 'memory' | 'holes' | 'nodes' | 'firmware' | 'world'> };

function nodesInside({ machine }: Memory): boolean {
  const ranges = (machine.nodes?.flat() ?? [])
    .map(({ start, size }) => sizedRange(start, size))
    .sort((a, b) => a.start - b.start);
  return (
    ranges
      .slice(1)
      .every((each, index) => present(ranges[index], 'range before one').end <= each.start) &&
    ranges.every(({ start, end }) => start >= RAM_BASE && end <= RAM_BASE + machine.memory * MIB)
  );
}

/**
 * arm_load_dtb() of QEMU's hw/arm/boot.c replaces the memory nodes; for the monitor's limits see
 * guest/monitor/parameters.h and stage2.c.
 */
function fitTheMonitor({ machine }: Memory): boolean {
  if (machine.nodes === undefined) return true;
  if (machine.firmware === undefined) return false;
  const ranges = ramRanges(machine);
  return (
    ranges.length <= 8 &&
    ranges.every(({ start, end }) => start % (2 * MIB) === 0 && end % (2 * MIB) === 0)
  );
}

function holesInside({ machine }: Memory): boolean {
  const ram = ramRanges(machine);
  return machine.holes.every(({ start, size }) => contains(ram, sizedRange(start, size)));
}

function isEnough({ machine }: Memory): boolean {
  return sizeOf(...memoryRanges(machine)) >= leastMemory[machine.world] * MIB;
}

/** Too little memory, and nodes without a firmware, are complained of elsewhere. */
function hasRoom(scenario: Memory): boolean {
  const { machine } = scenario;
  if (!isEnough(scenario) || (machine.nodes && machine.firmware === undefined)) return true;
  return loadPlaces(machine, usualSizes) !== undefined;
}

/** What memory without holes is for: see loadPlaces(). */
function roomNeeded({ memory, firmware }: Memory['machine']): string {
  const image = usualSizes.image / MIB;
  if (firmware !== undefined)
    return `must have ${roomInARow / MIB} MiB of memory in one piece, from a multiple of 2 MiB on, for kernel, RAM disk and device tree`;
  const disk = Math.min(memory / 2, 128);
  return `must have memory without holes where QEMU's boot loader puts the kernel (2 to ${2 + image} MiB behind 0x40000000), its RAM disk and the device tree (${disk} to ${Math.ceil(disk / 2) * 2 + 4} MiB); a firmware loads them elsewhere`;
}

/** Whether a scenario may have a word among its parameters. */
export function mayBeParameter(word: string): boolean {
  return parameter.safeParse(word).success;
}

/** @throws PtdiffError(usage) for a word that no scenario may have among its parameters */
export function checkParameter(word: string): void {
  const result = parameter.safeParse(word);
  if (!result.success)
    throw new PtdiffError('usage', `--param ${word}: ${result.error.issues[0]?.message}.`);
}

/** A scenario without a name is named after its file, and in a list also after its position. */
function withName(item: unknown, file: string, place: number | undefined): unknown {
  if (typeof item !== 'object' || item === null || 'name' in item) return item;
  const stem = (file.split('/').at(-1) ?? '')
    .replace(/\.[^.]*$/, '')
    .replaceAll(/[^A-Za-z0-9._+-]/g, '-');
  return {
    ...item,
    name: `${stem.slice(0, 60) || 'scenario'}${place === undefined ? '' : `-${place}`}`,
  };
}

/**
 * Checks scenarios read from a file: one, or a list. Everything may be left out.
 * @param data the parsed YAML or JSON
 * @param file its name, for the message
 * @throws PtdiffError(usage) that names every wrong field
 */
export function parseScenarios(data: unknown, file: string): Scenario[] {
  const list = Array.isArray(data) ? data : [data];
  if (list.length === 0)
    throw new PtdiffError('usage', `${file} contains an empty list; write at least one scenario.`);
  return list.map((item, index) => {
    const result = scenarioFileSchema.safeParse(
      withName(item, file, list.length > 1 ? index + 1 : undefined),
    );
    if (result.success) return result.data;
    const where = list.length > 1 ? `${file}, scenario ${index + 1}` : file;
    const problems = result.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'scenario'}: ${message}`,
    );
    throw new PtdiffError('usage', `${where} is not a valid scenario: ${problems.join('; ')}.`);
  });
}
