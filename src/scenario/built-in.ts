import { deviceNames } from './devices.ts';
import { lateCpuScenarios } from './late-cpus.ts';
import { type NamedParts, scenarioName } from './names.ts';
import { largeRealms, namedRealms, realmMatrix, realmSingles } from './realms.ts';
import type { Machine, Rodata, Scenario } from './types.ts';
import { variantScenarios } from './variants.ts';

const MATRIX_CPUS = ['max', 'neoverse-v3-r0p2', 'neoverse-v3-r0p1', 'cortex-a76', 'neoverse-n2'];
const RODATA: Rodata[] = ['default', 'noalias', 'off'];
const KFENCE = [undefined, 100];
const MIB = 2 ** 20;

function scenario(parts: NamedParts, machine: Partial<Machine> = {}): Scenario {
  const { cpu, rodata, kfenceSampleInterval, kaslr } = parts;
  return {
    name: scenarioName(parts),
    machine: { cpu, cpus: 1, memory: 1024, holes: [], world: 'normal', ...machine },
    rodata,
    ...(kfenceSampleInterval === undefined ? {} : { kfenceSampleInterval }),
    kaslr,
    parameters: [],
    probes: ['memfd_secret'],
  };
}

/** Every CPU with every rodata= and both KFENCE settings: 30 scenarios on a machine of one CPU and 1 GiB. */
export const matrixScenarios: readonly Scenario[] = MATRIX_CPUS.flatMap((cpu) =>
  RODATA.flatMap((rodata) =>
    KFENCE.map((kfenceSampleInterval) => scenario({ cpu, rodata, kfenceSampleInterval, kaslr: false })),
  ),
);

const plain = { rodata: 'default', kaslr: false } as const;
const large = { cpu: 'neoverse-v3-r0p2', ...plain };

/** One thing changed at a time: KASLR, several CPUs, a device that does DMA, odd sizes of memory, memory in several regions. */
export const singleChangeScenarios: readonly Scenario[] = [
  ...['max', 'neoverse-v3-r0p2', 'cortex-a76'].map((cpu) => scenario({ cpu, ...plain, kaslr: true })),
  scenario({ ...large, suffix: 'smp2' }, { cpus: 2 }),
  scenario({ ...large, suffix: 'console' }, { devices: ['virtio-console'] }),
  scenario({ cpu: 'max', ...plain, suffix: 'devices' }, { devices: [...deviceNames] }),
  scenario({ ...large, suffix: '3000m' }, { memory: 3000 }),
  scenario({ ...large, suffix: '8g' }, { memory: 8192 }),
  scenario({ ...large, suffix: '64g' }, { memory: 65536 }),
  scenario(
    { ...large, suffix: 'holes' },
    {
      memory: 2048,
      // One hole inside a 2 MiB block, one at a 2 MiB border, one of an odd number of pages.
      holes: [
        { start: 0x6010_0000, size: 64 * 1024 },
        { start: 0x7000_0000, size: 2 * MIB },
        { start: 0x9234_0000, size: 7 * 64 * 1024 },
      ],
    },
  ),
];

/** All scenarios that ptdiff brings. */
export const builtInScenarios: readonly Scenario[] = [
  ...matrixScenarios,
  ...singleChangeScenarios,
  ...variantScenarios,
  ...realmMatrix,
  ...realmSingles,
  ...lateCpuScenarios,
  ...largeRealms,
  ...namedRealms,
];

/** Kernels of the default matrix: the newest of each generation, and two flavours with 16K pages. */
export const defaultKernels: readonly string[] = [
  ...['6.12', '6.16', '6.17', '6.18', '6.19', '7.0', '7.1', '7.2', '7.3'].map((version) => `debian:${version}`),
  'debian:6.12:16k',
  'debian:7.3:16k',
];
