import type { KernelTraits } from '../linux/traits.ts';
import { leanParameters } from './lean.ts';
import type { Scenario } from './types.ts';

/** The spelling of a scenario's rodata= on one kernel; undefined leaves the parameter out. */
export function rodataParameter(
  scenario: Scenario,
  traits: Pick<KernelTraits, 'rodataFullSpelling'>,
): string | undefined {
  switch (scenario.rodata) {
    case 'default':
      return undefined;
    case 'off':
      return 'rodata=off';
    case 'noalias':
      // Until 6.17 'on' left the linear aliases of read-only vmalloc memory writable; 6.18 renamed that to 'noalias'.
      return traits.rodataFullSpelling === 'full' ? 'rodata=on' : 'rodata=noalias';
  }
}

/** The kernel command line of a scenario on one kernel, without what the harness adds for its console and init. */
export function kernelParameters(
  scenario: Scenario,
  traits: Pick<KernelTraits, 'rodataFullSpelling' | 'builtInDrivers'>,
): string[] {
  const rodata = rodataParameter(scenario, traits);
  return [
    ...(scenario.kaslr ? [] : ['nokaslr']),
    ...(rodata ? [rodata] : []),
    ...(scenario.kfenceSampleInterval === undefined ? [] : [`kfence.sample_interval=${scenario.kfenceSampleInterval}`]),
    ...(scenario.machine.late ? ['maxcpus=1'] : []),
    // Last but for the scenario's own, which may say otherwise.
    ...leanParameters(scenario, traits),
    ...scenario.parameters,
  ];
}
