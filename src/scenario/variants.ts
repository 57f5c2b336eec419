// SPDX-License-Identifier: GPL-2.0-only
import { makeScenario, type ScenarioParts } from './make.ts';
import type { Machine, Scenario } from './types.ts';

const capable = 'neoverse-v3-r0p2';

const kpti = (parts: ScenarioParts, machine: Partial<Machine> = {}): Scenario =>
  makeScenario({ suffix: 'kpti', ...parts }, machine, { parameters: ['kpti=on'] });
const crashkernel = (parts: ScenarioParts): Scenario =>
  makeScenario({ ...parts, suffix: 'crashkernel' }, {}, { parameters: ['crashkernel=64M'] });
const pagealloc = (
  parts: ScenarioParts,
  machine: Partial<Machine> = {},
  parameters: string[] = [],
): Scenario =>
  makeScenario({ suffix: 'pagealloc', ...parts }, machine, {
    parameters: ['debug_pagealloc=on', ...parameters],
  });

const monitor = { firmware: 'monitor' } as const;
const realm = { ...monitor, world: 'realm' } as const;

/**
 * KPTI, forced by the parameter or needed by the CPU (a64fx): pages, blocks, 48-bit tables, the
 * early KFENCE pool, a repaint, a realm. crashkernel=: its memory is mapped like any other.
 * debug_pagealloc=on: every free page is invalid. isolcpus=: memory is freed early.
 */
export const variantScenarios: readonly Scenario[] = [
  ...['max', capable, 'cortex-a76'].map((cpu) => kpti({ cpu })),
  kpti({ cpu: capable, kfenceSampleInterval: 100 }),
  // Other CPUs come up before KPTI, which gives KFENCE time to use and free pages.
  { ...kpti({ cpu: 'max', kfenceSampleInterval: 1 }, { cpus: 8 }), name: 'kfence-kpti-global' },
  kpti(
    { cpu: capable, prefix: 'monitor', suffix: 'then-max+kpti' },
    { ...monitor, cpus: 2, others: ['max'] },
  ),
  kpti({ cpu: 'max', prefix: 'realm' }, realm),
  makeScenario(
    { cpu: 'cortex-a76', kaslr: true, suffix: 'kpti-off' },
    {},
    { parameters: ['kpti=off'] },
  ),
  makeScenario({ cpu: 'a64fx' }),
  ...['max', capable].map((cpu) => crashkernel({ cpu })),
  ...['max', capable].map((cpu) => pagealloc({ cpu })),
  pagealloc({ cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
  pagealloc({ cpu: 'cortex-a76', kaslr: true }),
  pagealloc({ cpu: 'max', suffix: 'pagealloc+kpti' }, {}, ['kpti=on']),
  pagealloc({ cpu: 'max', prefix: 'realm' }, realm),
  // The masks of isolated CPUs are allocated from memblock and freed to it.
  {
    ...makeScenario({ cpu: 'max' }, { cpus: 2 }, { parameters: ['isolcpus=1'] }),
    name: 'isolcpus-early-free',
  },
];

/**
 * The variants that the default matrix runs on the newest kernel: one of each kind that every
 * kernel can run.
 */
export const defaultVariants: readonly Scenario[] = variantScenarios.filter(({ name }) =>
  [`${capable}+kpti`, 'cortex-a76+kpti', 'a64fx', `${capable}+crashkernel`].includes(name),
);
