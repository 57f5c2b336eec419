import { deviceNames } from './devices.ts';
import { scenarioName } from './names.ts';
import type { Machine, Rodata, Scenario } from './types.ts';

const RODATA: Rodata[] = ['default', 'noalias', 'off'];
const KFENCE = [undefined, 100];

/** What a realm scenario is made of. */
interface RealmParts {
  prefix: 'realm' | 'rme' | 'monitor';
  cpu: string;
  rodata?: Rodata;
  kfenceSampleInterval?: number;
  suffix?: string;
}

function scenario(parts: RealmParts, machine: Partial<Machine> = {}): Scenario {
  const { prefix, cpu, rodata = 'default', kfenceSampleInterval } = parts;
  return {
    name: scenarioName({ ...parts, rodata, kaslr: false }),
    machine: {
      cpu,
      cpus: 1,
      memory: 1024,
      holes: [],
      world: prefix === 'monitor' ? 'normal' : 'realm',
      firmware: prefix === 'rme' ? 'monitor-rme' : 'monitor',
      ...machine,
    },
    rodata,
    ...(kfenceSampleInterval === undefined ? {} : { kfenceSampleInterval }),
    kaslr: false,
    parameters: [],
    probes: ['memfd_secret'],
  };
}

/** Realms with and without the capability, with every rodata= and KFENCE setting. */
export const realmMatrix: readonly Scenario[] = ['max', 'neoverse-v3-r0p2'].flatMap((cpu) =>
  RODATA.flatMap((rodata) =>
    KFENCE.map((kfenceSampleInterval) => scenario({ prefix: 'realm', cpu, rodata, kfenceSampleInterval })),
  ),
);

const v3 = 'neoverse-v3-r0p2';

/** CPUs that differ, both ways round, in both worlds; more CPUs; no ITS; devices that do DMA; FEAT_RME. */
export const realmSingles: readonly Scenario[] = [
  ...(['realm', 'monitor'] as const).flatMap((prefix) => [
    scenario({ prefix, cpu: v3, suffix: 'then-max' }, { cpus: 2, others: ['max'] }),
    scenario({ prefix, cpu: 'max', suffix: 'then-v3' }, { cpus: 2, others: [v3] }),
    scenario({ prefix, cpu: v3, suffix: 'smp2' }, { cpus: 2 }),
  ]),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'smp4' }, { cpus: 4 }),
  scenario(
    { prefix: 'realm', cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100, suffix: 'no-its' },
    { its: false },
  ),
  ...[0, 1, 2, 3].map((bbm) => scenario({ prefix: 'monitor', cpu: `max-bbm${bbm}` })),
  scenario({ prefix: 'monitor', cpu: 'max-bbm3', suffix: 'then-bbm2' }, { cpus: 2, others: ['max-bbm2'] }),
  scenario({ prefix: 'monitor', cpu: 'max-bbm2', suffix: 'then-bbm3' }, { cpus: 2, others: ['max-bbm3'] }),
  ...(['realm', 'rme'] as const).map((prefix) =>
    scenario({ prefix, cpu: 'max', suffix: 'console' }, { devices: ['virtio-console'] }),
  ),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'console' }, { devices: ['virtio-console'] }),
  scenario({ prefix: 'realm', cpu: 'max', suffix: 'devices' }, { devices: [...deviceNames] }),
  scenario({ prefix: 'rme', cpu: 'max' }),
  scenario({ prefix: 'rme', cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
];

const mib = 2 ** 20;

/** As much memory as the monitor keeps account of; and memory in several regions. */
export const largeRealms: readonly Scenario[] = [
  scenario({ prefix: 'realm', cpu: v3, suffix: '64g' }, { memory: 65536 }),
  scenario(
    { prefix: 'realm', cpu: v3, suffix: 'holes' },
    {
      memory: 2048,
      // One hole inside a 2 MiB block, one at its border, one of an odd number of pages.
      holes: [
        { start: 0x6010_0000, size: 64 * 1024 },
        { start: 0x7000_0000, size: 2 * mib },
        { start: 0x9234_0000, size: 7 * 64 * 1024 },
      ],
    },
  ),
];

/** Scenarios of the mailing-list threads, by the name of what they show. */
export const namedRealms: readonly Scenario[] = [
  // RSI is probed after map_mem(): a realm that nothing else forces to pages has blocks that it cannot share pages of.
  {
    ...scenario({ prefix: 'realm', cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
    name: 'realm-late-rsi',
  },
  // A capable CPU gets blocks; memory is shared before the capabilities are final.
  { ...scenario({ prefix: 'realm', cpu: v3 }), name: 'realm-early-share' },
  // Buffers of a device bounce through memory whose blocks never became valid again.
  { ...scenario({ prefix: 'realm', cpu: v3 }, { devices: ['virtio-console'] }), name: 'realm-bounce-oops' },
  // A device needs more bounce buffers than 7.3 gives a small realm.
  {
    ...scenario({ prefix: 'realm', cpu: 'max' }, { memory: 512, devices: ['virtio-console'] }),
    name: 'realm-small-swiotlb',
  },
];
