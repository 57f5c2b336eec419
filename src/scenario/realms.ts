// SPDX-License-Identifier: GPL-2.0-only
import { deviceNames } from './devices.ts';
import { makeScenario, memoryInNodes, memoryWithHoles, type ScenarioParts } from './make.ts';
import type { Machine, Rodata, Scenario } from './types.ts';

const RODATA: Rodata[] = ['default', 'noalias', 'off'];
const KFENCE = [undefined, 100];

/**
 * The parts of a realm scenario: its prefix says what runs below the kernel, and in which world.
 */
type RealmParts = ScenarioParts & { prefix: 'realm' | 'rme' | 'monitor' };

function scenario(parts: RealmParts, machine: Partial<Machine> = {}): Scenario {
  const { prefix } = parts;
  return makeScenario(parts, {
    world: prefix === 'monitor' ? 'normal' : 'realm',
    firmware: prefix === 'rme' ? 'monitor-rme' : 'monitor',
    ...machine,
  });
}

/** Realms with and without the capability, with every rodata= and KFENCE setting. */
export const realmMatrix: readonly Scenario[] = ['max', 'neoverse-v3-r0p2'].flatMap((cpu) =>
  RODATA.flatMap((rodata) =>
    KFENCE.map((kfenceSampleInterval) =>
      scenario({ prefix: 'realm', cpu, rodata, kfenceSampleInterval }),
    ),
  ),
);

const v3 = 'neoverse-v3-r0p2';

/**
 * CPUs that differ, in both orders and both worlds; more CPUs; no ITS; devices that do DMA;
 * FEAT_RME.
 */
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
  scenario(
    { prefix: 'monitor', cpu: 'max-bbm3', suffix: 'then-bbm2' },
    { cpus: 2, others: ['max-bbm2'] },
  ),
  scenario(
    { prefix: 'monitor', cpu: 'max-bbm2', suffix: 'then-bbm3' },
    { cpus: 2, others: ['max-bbm3'] },
  ),
  ...(['realm', 'rme'] as const).map((prefix) =>
    scenario({ prefix, cpu: 'max', suffix: 'console' }, { devices: ['virtio-console'] }),
  ),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'console' }, { devices: ['virtio-console'] }),
  scenario({ prefix: 'realm', cpu: 'max', suffix: 'devices' }, { devices: [...deviceNames] }),
  scenario({ prefix: 'rme', cpu: 'max' }),
  scenario({ prefix: 'rme', cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
];

/**
 * The largest memory and number of CPUs that the monitor supports; and memory in several regions.
 */
export const largeRealms: readonly Scenario[] = [
  scenario({ prefix: 'realm', cpu: v3, suffix: '64g' }, { memory: 65536 }),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'holes' }, memoryWithHoles),
  ...(['realm', 'monitor'] as const).map((prefix) =>
    scenario({ prefix, cpu: v3, suffix: 'nodes' }, memoryInNodes),
  ),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'smp8' }, { cpus: 8 }),
];

/** Realms on CPUs that lack one feature or another. */
export const realmCpus: readonly Scenario[] = [
  'neoverse-n2',
  'neoverse-n1',
  'cortex-a76',
  'cortex-a57',
].map((cpu) => scenario({ prefix: 'realm', cpu }));

/**
 * CPUs that go offline and come back after boot: equal ones in each world, and one that is the only
 * capable one.
 */
export const hotplugScenarios: readonly Scenario[] = [
  scenario({ prefix: 'monitor', cpu: v3, suffix: 'smp2+hotplug' }, { cpus: 2 }),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'smp4+hotplug' }, { cpus: 4 }),
  scenario({ prefix: 'rme', cpu: 'max', suffix: 'smp2+hotplug' }, { cpus: 2 }),
  scenario({ prefix: 'realm', cpu: 'max', suffix: 'then-v3+hotplug' }, { cpus: 2, others: [v3] }),
  scenario({ prefix: 'realm', cpu: v3, suffix: 'then-max+hotplug' }, { cpus: 2, others: ['max'] }),
].map((each) => ({ ...each, probes: ['cpu_hotplug', ...each.probes] }));

/** Scenarios from mailing-list threads, named after what they show. */
export const namedRealms: readonly Scenario[] = [
  // RSI is probed after map_mem(): a realm in which nothing else forces pages has blocks, and
  // cannot share single pages of them.
  {
    ...scenario({ prefix: 'realm', cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
    name: 'realm-late-rsi',
  },
  // A capable CPU gets blocks, and memory is shared before the capabilities are final.
  { ...scenario({ prefix: 'realm', cpu: v3 }), name: 'realm-early-share' },
  // A device's bounce buffers are in memory whose blocks never became valid again.
  {
    ...scenario({ prefix: 'realm', cpu: v3 }, { devices: ['virtio-console'] }),
    name: 'realm-bounce-oops',
  },
  // A device needs more bounce buffers than 7.3 provides in a small realm.
  {
    ...scenario({ prefix: 'realm', cpu: 'max' }, { memory: 512, devices: ['virtio-console'] }),
    name: 'realm-small-swiotlb',
  },
];
