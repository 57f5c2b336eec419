// SPDX-License-Identifier: GPL-2.0-only
import { makeScenario, type ScenarioParts } from './make.ts';
import type { Machine, Scenario } from './types.ts';

/**
 * The parts of a scenario with late CPUs: the boot CPU, and the late CPU, which the suffix names.
 */
type LateParts = ScenarioParts & {
  /**
   * What runs below the kernel: nothing, the monitor in the normal world, or the monitor as a
   * realm's RMM.
   */
  prefix?: 'monitor' | 'realm';
  late: string;
  suffix: string;
};

function scenario({ late, ...parts }: LateParts): Scenario {
  const { prefix } = parts;
  const world = prefix === 'realm' ? 'realm' : 'normal';
  const below: Partial<Machine> =
    prefix === undefined ? {} : { firmware: 'monitor', others: [late] };
  return makeScenario(
    parts,
    { cpus: 2, world, late: true, ...below },
    { probes: ['cpu_online', 'memfd_secret'] },
  );
}

const v3 = 'neoverse-v3-r0p2';
const blocks = { rodata: 'noalias', kfenceSampleInterval: 100 } as const;

/**
 * A CPU that comes after the linear map was built and the capabilities are final: equal to the
 * first; without the capability where the system has it; with it where the system has none. A
 * Neoverse-V3 has errata that the system does not work around, so the kernel refuses it because of
 * these; CPUs with different FEAT_BBM levels differ in nothing else.
 */
export const lateCpuScenarios: readonly Scenario[] = [
  scenario({ cpu: v3, late: v3, suffix: 'late-v3' }),
  ...(['monitor', 'realm'] as const).flatMap((prefix) => [
    scenario({ prefix, cpu: v3, late: 'max', suffix: 'late-max' }),
    scenario({ prefix, cpu: 'max', late: v3, suffix: 'late-v3' }),
    scenario({ prefix, cpu: 'max-bbm2', late: 'max-bbm3', suffix: 'late-bbm3' }),
  ]),
  scenario({ prefix: 'monitor', cpu: 'max-bbm3', late: 'max-bbm2', suffix: 'late-bbm2' }),
  // The linear map has large leaves that nothing will ever split: the kernel does not check that.
  scenario({ prefix: 'monitor', cpu: v3, late: 'max', ...blocks, suffix: 'late-max' }),
  scenario({
    prefix: 'monitor',
    cpu: 'max-bbm2',
    late: 'max-bbm3',
    ...blocks,
    suffix: 'late-bbm3',
  }),
];
