// SPDX-License-Identifier: GPL-2.0-only
import type { Scenario } from './types.ts';

/** The parts of a scenario name; a part with its default value is left out. */
export type NamedParts = Pick<Scenario, 'rodata' | 'kfenceSampleInterval' | 'kaslr'> & {
  cpu: string;
  prefix?: string;
  suffix?: string;
};

/**
 * E.g. 'neoverse-v3-r0p2+noalias+kfence100': the CPU, then what differs from the kernel's defaults.
 */
export function scenarioName(parts: NamedParts): string {
  return [
    ...(parts.prefix ? [parts.prefix] : []),
    parts.cpu,
    ...(parts.rodata === 'default' ? [] : [parts.rodata]),
    ...(parts.kfenceSampleInterval === undefined ? [] : [`kfence${parts.kfenceSampleInterval}`]),
    ...(parts.kaslr ? ['kaslr'] : []),
    ...(parts.suffix ? [parts.suffix] : []),
  ].join('+');
}

/** Name of a case; also the name of its folder. */
export function caseName(label: string, scenario: string): string {
  return `${label}@${scenario}`;
}

/**
 * The name of a kernel in the names of its cases: its release, and what distinguishes it from
 * others of that release in the same run.
 * @param otherwise the result for a case whose name has another form
 */
export function kernelLabel(
  { case: name, scenario }: { case: string; scenario: string },
  otherwise: string,
): string {
  return name.endsWith(`@${scenario}`) ? name.slice(0, -scenario.length - 1) : otherwise;
}
