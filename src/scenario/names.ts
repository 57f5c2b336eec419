import type { Scenario } from './types.ts';

/** What a scenario name is made of; anything at its default leaves no trace in the name. */
export type NamedParts = Pick<Scenario, 'rodata' | 'kfenceSampleInterval' | 'kaslr'> & {
  cpu: string;
  prefix?: string;
  suffix?: string;
};

/** E.g. 'neoverse-v3-r0p2+noalias+kfence100': the CPU, then what differs from the kernel's defaults. */
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
export function caseName(release: string, scenario: string): string {
  return `${release}@${scenario}`;
}
