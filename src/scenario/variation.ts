import type { Scenario } from './types.ts';

/** How a scenario is booted otherwise than by default; the experiment is the same. */
export interface Variation extends Pick<Scenario, 'seed' | 'plain'> {
  /** The seed goes to scenarios with KASLR only, which alone show it in their tables. */
  onlyKaslr?: true;
}

/** Any number serves: the same seed gives the same draws, and the same slide, on every boot of a kernel. */
export const defaultSeed = 1;

/** A seed is what QEMU's -seed takes, and 0 is one; the largest is that of 32 bits. */
export const largestSeed = 2 ** 32 - 1;

/**
 * The same scenario with another seed, or booted plainly. Its name says so, as `max+kaslr+seed7` or `max+plain`, so that the name alone repeats
 * the case, in whichever command it is used.
 */
export function vary(scenario: Scenario, { seed, plain, onlyKaslr }: Variation): Scenario {
  const reseeded =
    seed === undefined || (onlyKaslr && !scenario.kaslr)
      ? scenario
      : { ...scenario, name: `${scenario.name}+seed${seed}`, seed };
  return plain && !reseeded.plain ? { ...reseeded, name: `${reseeded.name}+plain`, plain } : reseeded;
}

/** What vary() made a name of; undefined for a name that says nothing of the kind. */
export function variedName(name: string): { base: string; variation: Variation } | undefined {
  const match = /^(.*?)(?:\+seed(\d{1,10}))?(\+plain)?$/.exec(name);
  if (!match || (match[2] === undefined && match[3] === undefined)) return undefined;
  const seed = match[2] === undefined ? undefined : Number(match[2]);
  if (seed !== undefined && seed > largestSeed) return undefined;
  return {
    base: match[1] ?? '',
    variation: { ...(seed !== undefined && { seed }), ...(match[3] !== undefined && { plain: true as const }) },
  };
}
