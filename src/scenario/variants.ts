import { type NamedParts, scenarioName } from './names.ts';
import type { Machine, Scenario } from './types.ts';

const capable = 'neoverse-v3-r0p2';

/** One of the kernel's variants of the linear map, chosen by a parameter or a CPU. */
function scenario(
  parts: Partial<NamedParts> & { cpu: string },
  parameters: string[],
  machine: Partial<Machine> = {},
): Scenario {
  const { rodata = 'default', kaslr = false, cpu, kfenceSampleInterval } = parts;
  return {
    name: scenarioName({ ...parts, rodata, kaslr }),
    machine: { cpu, cpus: 1, memory: 1024, holes: [], world: 'normal', ...machine },
    rodata,
    ...(kfenceSampleInterval === undefined ? {} : { kfenceSampleInterval }),
    kaslr,
    parameters,
    probes: ['memfd_secret'],
  };
}

const kpti = (parts: Partial<NamedParts> & { cpu: string }, machine: Partial<Machine> = {}): Scenario =>
  scenario({ suffix: 'kpti', ...parts }, ['kpti=on'], machine);
const crashkernel = (parts: Partial<NamedParts> & { cpu: string }): Scenario =>
  scenario({ ...parts, suffix: 'crashkernel' }, ['crashkernel=64M']);
const pagealloc = (
  parts: Partial<NamedParts> & { cpu: string },
  parameters: string[] = [],
  machine: Partial<Machine> = {},
): Scenario => scenario({ suffix: 'pagealloc', ...parts }, ['debug_pagealloc=on', ...parameters], machine);

const monitor = { firmware: 'monitor' } as const;
const realm = { ...monitor, world: 'realm' } as const;

/**
 * KPTI, forced by the parameter or needed by the CPU (a64fx): pages, blocks, 48-bit tables, the early KFENCE pool, a repaint, a realm.
 * crashkernel=: its memory is mapped like any other. debug_pagealloc=on: every free page is invalid.
 */
export const variantScenarios: readonly Scenario[] = [
  ...['max', capable, 'cortex-a76'].map((cpu) => kpti({ cpu })),
  kpti({ cpu: capable, kfenceSampleInterval: 100 }),
  kpti({ cpu: capable, prefix: 'monitor', suffix: 'then-max+kpti' }, { ...monitor, cpus: 2, others: ['max'] }),
  kpti({ cpu: 'max', prefix: 'realm' }, realm),
  scenario({ cpu: 'cortex-a76', kaslr: true, suffix: 'kpti-off' }, ['kpti=off']),
  scenario({ cpu: 'a64fx' }, []),
  ...['max', capable].map((cpu) => crashkernel({ cpu })),
  ...['max', capable].map((cpu) => pagealloc({ cpu })),
  pagealloc({ cpu: 'max', rodata: 'noalias', kfenceSampleInterval: 100 }),
  pagealloc({ cpu: 'cortex-a76', kaslr: true }),
  pagealloc({ cpu: 'max', suffix: 'pagealloc+kpti' }, ['kpti=on']),
  pagealloc({ cpu: 'max', prefix: 'realm' }, [], realm),
];

/** Those that the default matrix runs on the newest kernel: one of each kind that every kernel can run. */
export const defaultVariants: readonly Scenario[] = variantScenarios.filter(({ name }) =>
  [`${capable}+kpti`, 'cortex-a76+kpti', 'a64fx', `${capable}+crashkernel`].includes(name),
);
