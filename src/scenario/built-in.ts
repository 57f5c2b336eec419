// SPDX-License-Identifier: GPL-2.0-only
import { stableJson } from '../stable-json.ts';
import { boardScenarios, namedBoardScenarios } from './boards.ts';
import { cpus } from './cpus.ts';
import { deviceNames } from './devices.ts';
import { idFieldScenarios } from './id-fields.ts';
import { lateCpuScenarios } from './late-cpus.ts';
import { makeScenario, memoryWithHoles, memoryWithLowHoles, memoryWithOddHoles } from './make.ts';
import {
  hotplugScenarios,
  largeRealms,
  namedRealms,
  realmCpus,
  realmMatrix,
  realmSingles,
} from './realms.ts';
import type { Rodata, Scenario } from './types.ts';
import { variantScenarios } from './variants.ts';
import { variedName, vary } from './variation.ts';

const MATRIX_CPUS = ['max', 'neoverse-v3-r0p2', 'neoverse-v3-r0p1', 'cortex-a76', 'neoverse-n2'];
const RODATA: Rodata[] = ['default', 'noalias', 'off'];
const KFENCE = [undefined, 100];

/**
 * Every CPU with every rodata= and both KFENCE settings: 30 scenarios on a machine of one CPU and 1
 * GiB.
 */
export const matrixScenarios: readonly Scenario[] = MATRIX_CPUS.flatMap((cpu) =>
  RODATA.flatMap((rodata) =>
    KFENCE.map((kfenceSampleInterval) => makeScenario({ cpu, rodata, kfenceSampleInterval })),
  ),
);

const large = { cpu: 'neoverse-v3-r0p2' };

/**
 * One thing changed at a time: KASLR, several CPUs, a device that does DMA, odd sizes of memory,
 * memory in several regions.
 */
const singleChangeScenarios: readonly Scenario[] = [
  ...['max', 'neoverse-v3-r0p2', 'cortex-a76'].map((cpu) => makeScenario({ cpu, kaslr: true })),
  makeScenario({ ...large, suffix: 'smp2' }, { cpus: 2 }),
  makeScenario({ ...large, suffix: 'console' }, { devices: ['virtio-console'] }),
  makeScenario({ cpu: 'max', suffix: 'devices' }, { devices: [...deviceNames] }),
  makeScenario({ ...large, suffix: '3000m' }, { memory: 3000 }),
  makeScenario({ ...large, suffix: '8g' }, { memory: 8192 }),
  makeScenario({ ...large, suffix: '64g' }, { memory: 65536 }),
  makeScenario({ ...large, suffix: 'holes' }, memoryWithHoles),
  makeScenario({ ...large, suffix: 'odd-holes' }, memoryWithOddHoles),
  makeScenario({ ...large, prefix: 'monitor', suffix: 'low-holes' }, memoryWithLowHoles),
];

/**
 * CPUs of the kernel's allow list, and their neighbours just outside it, that are in no other
 * scenario.
 */
const listedCpuScenarios: readonly Scenario[] = cpus
  .filter(({ qemu, name }) => qemu.startsWith('max,midr=') && !MATRIX_CPUS.includes(name))
  .map(({ name }) => makeScenario({ cpu: name }));

const otherScenarios: readonly Scenario[] = [
  ...matrixScenarios,
  ...singleChangeScenarios,
  ...listedCpuScenarios,
  ...variantScenarios,
  ...idFieldScenarios,
  ...realmMatrix,
  ...realmSingles,
  ...lateCpuScenarios,
  ...largeRealms,
  ...realmCpus,
  ...hotplugScenarios,
  ...namedRealms,
];

/** Some boards' cores are in other scenarios, too. */
const isNew = ({ name }: Scenario): boolean => !otherScenarios.some((each) => each.name === name);

/** All scenarios that come with ptdiff. */
export const builtInScenarios: readonly Scenario[] = [
  ...otherScenarios,
  ...[...boardScenarios, ...namedBoardScenarios].filter(isNew),
];

/**
 * What `--scenario all` means. The named realms are cases of the realm matrix under other names.
 */
export const allScenarios: readonly Scenario[] = builtInScenarios.filter(
  (scenario) => !namedRealms.includes(scenario) && !namedBoardScenarios.includes(scenario),
);

/** The scenario with a name, also with another seed or plain (see vary()). */
export function builtInScenario(name: string): Scenario | undefined {
  const found = builtInScenarios.find((scenario) => scenario.name === name);
  const varied = variedName(name);
  if (found || !varied) return found;
  const base = builtInScenarios.find((scenario) => scenario.name === varied.base);
  return base && vary(base, varied.variation);
}

/**
 * Whether a scenario equals a built-in one in every part, so that its name alone identifies it for
 * another ptdiff.
 */
export function isBuiltIn(scenario: Scenario): boolean {
  const named = builtInScenario(scenario.name);
  return named !== undefined && stableJson(named) === stableJson(scenario);
}

/** Kernels of the default matrix: the newest of each generation, and two with 16K pages. */
export const defaultKernels: readonly string[] = [
  ...['6.12', '6.16', '6.17', '6.18', '6.19', '7.0', '7.1', '7.2', '7.3'].map(
    (version) => `debian:${version}`,
  ),
  'debian:6.12:16k',
  'debian:7.3:16k',
];
