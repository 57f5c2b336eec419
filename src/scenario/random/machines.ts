// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { contains } from '../../linux/physical-range.ts';
import { hasVhe } from '../cpu-registers.ts';
import { cpuNamed, cpus, isOfMax } from '../cpus.ts';
import { type DeviceName, deviceNames } from '../devices.ts';
import { loadPlaces, usualSizes } from '../load-places.ts';
import { memoryRanges } from '../memory.ts';
import { scenarioFileSchema } from '../schema.ts';
import type { IdField, Machine, Scenario } from '../types.ts';
import { largestSeed } from '../variation.ts';
import {
  firstBanks,
  holeLists,
  lowHoleLists,
  memorySizes,
  nodeLists,
  placeHoles,
  placeNodes,
  smallSizes,
} from './memory.ts';
import { decisiveParameters, fixedCma, idleParameters, memoryParameters } from './parameters.ts';

/** CPUs that QEMU makes of one model, so that they may stand beside each other. */
const alike = cpus.filter(isOfMax).map(({ name }) => name);
/** `max` first: what is simplest comes first wherever a value is chosen. */
const names = [...new Set(['max', 'neoverse-v3-r0p2', ...cpus.map(({ name }) => name)])];

/** Who runs below the kernel, and in which world. */
const worlds = {
  none: { world: 'normal' },
  monitor: { world: 'normal', firmware: 'monitor' },
  realm: { world: 'realm', firmware: 'monitor' },
  rme: { world: 'realm', firmware: 'monitor-rme' },
} as const;

/**
 * What the monitor can take away or change: BBM, HAFDBS, CSV3, E0PD, LPA2 (two fields), S1PIE. The
 * first three may differ between CPUs.
 */
const idFields: readonly (readonly Omit<IdField, 'cpus'>[])[] = [
  ...[0, 1, 2, 3].map((value) => [{ register: 'ID_AA64MMFR2_EL1', bits: '55:52', value } as const]),
  ...[0, 1, 2].map((value) => [{ register: 'ID_AA64MMFR1_EL1', bits: '3:0', value } as const]),
  [{ register: 'ID_AA64PFR0_EL1', bits: '63:60', value: 0 }],
  [{ register: 'ID_AA64MMFR2_EL1', bits: '63:60', value: 0 }],
  [
    { register: 'ID_AA64MMFR0_EL1', bits: '31:28', value: 0 },
    { register: 'ID_AA64MMFR0_EL1', bits: '23:20', value: 1 },
  ],
  [{ register: 'ID_AA64MMFR3_EL1', bits: '11:8', value: 0 }],
];

/** Fields of an ID register that read otherwise, on one CPU or, with -1, on all. */
type DrawnField = { fields: (typeof idFields)[number]; cpu: number };

/** In two of three draws what is simplest. */
function rarely<T>(simple: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant(simple), weight: 2 },
    { arbitrary: other, weight: 1 },
  );
}

/** Everything that is drawn of one machine, each for itself; what does not go together is mended. */
const parts = fc.record({
  cpu: fc.constantFrom(...names),
  // Every CPU costs the host as much as the first: many are rare.
  cpus: fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant(1), weight: 8 },
    { arbitrary: fc.constant(2), weight: 5 },
    { arbitrary: fc.integer({ min: 3, max: 4 }), weight: 2 },
    { arbitrary: fc.integer({ min: 5, max: 8 }), weight: 1 },
  ),
  others: rarely<string[] | undefined>(
    undefined,
    fc.array(fc.constantFrom(...alike), { minLength: 1, maxLength: 7 }),
  ),
  idFields: rarely<DrawnField[]>(
    [],
    fc.array(
      fc.record({ fields: fc.constantFrom(...idFields), cpu: fc.integer({ min: -1, max: 7 }) }),
      { minLength: 1, maxLength: 2 },
    ),
  ),
  below: fc.constantFrom<(keyof typeof worlds)[]>(
    'none',
    'none',
    'monitor',
    'realm',
    'realm',
    'rme',
  ),
  memory: memorySizes,
  holes: holeLists,
  nodes: nodeLists,
  late: rarely<boolean>(false, fc.constant(true)),
  hotplug: rarely<boolean>(false, fc.constant(true)),
  noIts: rarely<boolean>(false, fc.constant(true)),
  devices: rarely<DeviceName[]>([], fc.subarray([...deviceNames])),
  rodata: fc.constantFrom('default', 'noalias', 'off'),
  kfenceSampleInterval: fc.constantFrom(undefined, undefined, 0, 1, 100, 100),
  kaslr: fc.boolean(),
  seed: fc.integer({ min: 1, max: largestSeed }),
  plain: fc.integer({ min: 0, max: 15 }).map((draw) => draw === 15),
  parameters: fc.array(
    fc.oneof(
      { arbitrary: fc.constantFrom(...decisiveParameters), weight: 3 },
      { arbitrary: fc.constantFrom(...memoryParameters), weight: 2 },
      { arbitrary: fc.constantFrom(...idleParameters), weight: 1 },
    ),
    { maxLength: 5 },
  ),
  // Last, so that the draws of the others by a seed stay what they were.
  el2: rarely<boolean>(false, fc.constant(true)),
  lowHoles: rarely<LowHoles>([], lowHoleLists),
  // Only one memory in five is in nodes.
  firstBank: fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant(undefined), weight: 1 },
    { arbitrary: firstBanks, weight: 3 },
  ),
  small: fc.oneof(
    { withCrossShrink: true },
    { arbitrary: fc.constant(undefined), weight: 9 },
    { arbitrary: smallSizes, weight: 1 },
  ),
});
type LowHoles = typeof lowHoleLists extends fc.Arbitrary<infer T> ? T : never;
type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never;

/** Other CPUs, and fields of ID registers, as far as the machine can have them. */
function identities({ cpu, cpus: count, others, idFields: drawn }: Parts) {
  const mixed = count > 1 && alike.includes(cpu) ? others?.slice(0, count - 1) : undefined;
  const fields = drawn.flatMap(({ fields: own, cpu: only }) =>
    own.map((field) => (only < 0 || only >= count ? field : { ...field, cpus: [only] })),
  );
  return { ...(mixed && { others: mixed }), ...(fields.length > 0 && { idFields: fields }) };
}

/**
 * Whether memory is there that a parameter reserves at a fixed address. Nothing in the kernel asks:
 * cma_fixed_reserve() (mm/cma.c) takes any, and alloc_contig_range() then looks for pages forever.
 */
function canReserve(word: string, machine: Pick<Machine, 'memory' | 'holes' | 'nodes'>): boolean {
  return word !== fixedCma.word || contains(memoryRanges(machine), fixedCma.range);
}

/** A scenario as a file has it; whether the schema takes it is seen later. */
function assemble(drawn: Parts): Omit<Scenario, 'name'> {
  const who = identities(drawn);
  const { hidden = [], ...memory } = drawn.nodes
    ? placeNodes(drawn.nodes, drawn.firstBank)
    : { memory: drawn.small ?? drawn.memory };
  const holes = [...placeHoles(drawn.holes, drawn.lowHoles, memory.memory), ...hidden];
  const needsMonitor =
    loadPlaces({ ...memory, holes }, usualSizes) === undefined ||
    who.others !== undefined ||
    who.idFields !== undefined ||
    drawn.nodes !== undefined ||
    [drawn.cpu, ...(who.others ?? [])].some((name) => cpuNamed(name).bbm !== undefined);
  const asked = needsMonitor && drawn.below === 'none' ? 'monitor' : drawn.below;
  const below = asked === 'rme' && !alike.includes(drawn.cpu) ? 'realm' : asked;
  const el2 = drawn.el2 && below === 'none';
  const late = drawn.late && drawn.cpus > 1;
  const hotplug = drawn.hotplug && drawn.cpus > 1 && !late;
  const { devices, kfenceSampleInterval } = drawn;
  return {
    machine: {
      cpu: drawn.cpu,
      cpus: drawn.cpus,
      ...memory,
      holes,
      ...worlds[below],
      ...(el2 && { entry: 'el2' as const }),
      ...who,
      ...(late && { late }),
      ...(drawn.noIts && { its: false as const }),
      ...(devices.length > 0 && { devices }),
    },
    rodata: drawn.rodata,
    ...(kfenceSampleInterval !== undefined && { kfenceSampleInterval }),
    kaslr: drawn.kaslr,
    seed: drawn.seed,
    ...(drawn.plain && { plain: true as const }),
    // Without it, a kernel on a CPU with FEAT_VHE stays at EL2, which no scenario may ask for.
    parameters: [
      ...drawn.parameters.filter((word) => canReserve(word, { ...memory, holes })),
      ...(el2 && hasVhe(drawn.cpu) ? ['kvm-arm.mode=nvhe'] : []),
    ],
    probes: [
      ...(late ? (['cpu_online'] as const) : []),
      ...(hotplug ? (['cpu_hotplug'] as const) : []),
      'memfd_secret',
    ],
  };
}

/**
 * Scenarios from all that the schema allows, without a name: any CPUs, mixed and late ones too, any
 * memory, world, devices, KASLR seed and parameters. They shrink towards a `max` with one CPU,
 * 1 GiB in one piece and the kernel's defaults.
 */
export const randomMachines: fc.Arbitrary<Omit<Scenario, 'name'>> = parts
  .map(assemble)
  .filter((scenario) => scenarioFileSchema.safeParse({ ...scenario, name: 'any' }).success);
