// SPDX-License-Identifier: GPL-2.0-only
import type { Scenario } from './types.ts';

/** How a boot of a scenario differs from the default; the experiment is the same. */
export interface Variation extends Pick<Scenario, 'seed' | 'plain'> {
  /** Only scenarios with KASLR get the seed: only they show it in their tables. */
  onlyKaslr?: true;
  /**
   * Further kernel parameters, see checkParameter(). The name indicates them but does not reproduce
   * them.
   */
  parameters?: string[];
}

/**
 * Any number will do: the same seed gives the same random values, and the same slide, on every boot
 * of a kernel.
 */
export const defaultSeed = 1;

/** A seed must be valid for QEMU's -seed. 0 is valid, and the largest is 32 bits. */
export const largestSeed = 2 ** 32 - 1;

/** Names of scenarios are also names of folders, so their length is limited. */
const longestName = 80;

function withParameters(scenario: Scenario, parameters: readonly string[]): Scenario {
  if (parameters.length === 0) return scenario;
  const told = parameters.map((word) => word.replaceAll(/[^A-Za-z0-9._-]+/g, '.'));
  const name = [scenario.name, ...told].join('+').slice(0, longestName);
  return { ...scenario, name, parameters: [...scenario.parameters, ...parameters] };
}

/**
 * The same scenario with another seed, booted plainly, or with further parameters. Its name says
 * so, as in `max+kaslr+seed7` or `max+plain`. With a seed or `plain`, the name alone repeats the
 * case in any command.
 */
export function vary(
  scenario: Scenario,
  { seed, plain, onlyKaslr, parameters = [] }: Variation,
): Scenario {
  let varied = withParameters(scenario, parameters);
  if (seed !== undefined && !(onlyKaslr && !scenario.kaslr)) {
    varied = { ...varied, name: `${varied.name}+seed${seed}`, seed };
  }
  return plain && !varied.plain ? { ...varied, name: `${varied.name}+plain`, plain } : varied;
}

/** The parts of a name that vary() made; undefined for any other name. */
export function variedName(name: string): { base: string; variation: Variation } | undefined {
  const match = /^(.*?)(?:\+seed(\d{1,10}))?(\+plain)?$/.exec(name);
  if (!match || (match[2] === undefined && match[3] === undefined)) return undefined;
  const seed = match[2] === undefined ? undefined : Number(match[2]);
  if (seed !== undefined && seed > largestSeed) return undefined;
  return {
    base: match[1] ?? '',
    variation: {
      ...(seed !== undefined && { seed }),
      ...(match[3] !== undefined && { plain: true as const }),
    },
  };
}
