// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { leanParameters } from './lean.ts';
import type { Scenario } from './types.ts';

/** How one kernel spells a scenario's rodata=; undefined leaves the parameter out. */
function rodataParameter(
  scenario: Scenario,
  traits: Pick<KernelTraits, 'rodataFullSpelling'>,
): string | undefined {
  switch (scenario.rodata) {
    case 'default':
      return undefined;
    case 'off':
      return 'rodata=off';
    case 'noalias':
      // Until 6.17 'on' left the linear aliases of read-only vmalloc memory writable; 6.18 renamed
      // that to 'noalias'.
      return traits.rodataFullSpelling === 'full' ? 'rodata=on' : 'rodata=noalias';
  }
}

/**
 * The kernel command line of a scenario on one kernel, without what the harness adds for its
 * console and init.
 */
export function kernelParameters(
  scenario: Scenario,
  traits: Pick<KernelTraits, 'rodataFullSpelling' | 'builtInDrivers'>,
): string[] {
  const rodata = rodataParameter(scenario, traits);
  return [
    ...(scenario.kaslr ? [] : ['nokaslr']),
    ...(rodata ? [rodata] : []),
    ...(scenario.kfenceSampleInterval === undefined
      ? []
      : [`kfence.sample_interval=${scenario.kfenceSampleInterval}`]),
    ...(scenario.machine.late ? ['maxcpus=1'] : []),
    // Before the scenario's own parameters, which may override them.
    ...leanParameters(scenario, traits),
    ...scenario.parameters,
  ];
}

/**
 * Maximum length in bytes of a command line: COMMAND_LINE_SIZE of
 * arch/arm64/include/uapi/asm/setup.h (2048, the same from 6.12 to 7.3) without the NUL at its end.
 * early_init_dt_scan_chosen() of drivers/of/fdt.c silently cuts off the rest, and with it the
 * instructions for init.
 */
const longestCommandLine = 2047;

/**
 * Why no kernel can take a complete command line, including what ptdiff adds, as a part of a
 * sentence; undefined where it can.
 */
export function whyNoCommandLine(text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes <= longestCommandLine
    ? undefined
    : `its command line has ${bytes} bytes with what ptdiff adds, and the kernel takes ${longestCommandLine} (COMMAND_LINE_SIZE)`;
}
