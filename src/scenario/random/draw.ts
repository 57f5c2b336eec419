// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { stableJson } from '../../stable-json.ts';
import type { Scenario } from '../types.ts';
import { randomMachines } from './machines.ts';
import { choicesOf, type SeenSpace } from './space.ts';

/** A scenario without a name, on one kernel. */
export interface Drawn {
  scenario: Omit<Scenario, 'name'>;
  /** Spec of the kernel. */
  kernel: string;
}

/** Which of all draws one is: the generator gives it again, and what it shrinks to. */
export interface DrawnFrom {
  /** Seed of the generator. */
  seed: number;
  /** 0-based number of the draw. */
  index: number;
}

/** How many draws compete for a place: the one that shows most that is new has it. */
const candidates = 24;

const drawOn = (kernels: readonly string[]): fc.Arbitrary<Drawn> =>
  fc.record({ scenario: randomMachines, kernel: fc.constantFrom(...kernels) });

/**
 * The draw of one place in an exploration: the same seed, place, kernels and space give the same.
 * @param seed of the exploration, a number of 32 bits
 * @param place 0-based
 * @param fits whether the kernel can run the scenario
 * @returns undefined where no candidate fits
 */
export function draw(
  seed: number,
  place: number,
  kernels: readonly string[],
  space: SeenSpace,
  fits: (drawn: Drawn) => boolean,
): (Drawn & { from: DrawnFrom }) | undefined {
  const own = mixed(seed, place);
  let best: (Drawn & { from: DrawnFrom; gain: number }) | undefined;
  const all = fc.sample(drawOn(kernels), { seed: own, numRuns: candidates });
  for (const [index, drawn] of all.entries()) {
    const gain = space.gain(choicesOf(drawn.scenario, drawn.kernel));
    if ((!best || gain > best.gain) && fits(drawn))
      best = { ...drawn, from: { seed: own, index }, gain };
  }
  return best && { scenario: best.scenario, kernel: best.kernel, from: best.from };
}

/**
 * Draws that stand for all that an exploration of these kernels can come by, always the same.
 * @param count number of them
 */
export function drawAll(kernels: readonly string[], count: number): Drawn[] {
  return fc.sample(drawOn(kernels), { seed: 0, numRuns: count });
}

/** What shrink() came to. */
export interface Shrunk {
  scenario: Drawn['scenario'];
  /** Boots that it took. */
  boots: number;
}

/**
 * The smallest scenario that still shows something: one choice after another is made simpler, as
 * long as it does. The draw itself is asked first, once more.
 * @param drawn what the draw gave
 * @param limit boots at most
 * @param shows boots a scenario on the kernel of the draw
 * @returns undefined where the draw does not show it again, or where this generator draws another
 */
export async function shrink(
  { scenario, kernel, from }: Drawn & { from: DrawnFrom },
  kernels: readonly string[],
  limit: number,
  shows: (scenario: Drawn['scenario']) => Promise<boolean>,
): Promise<Shrunk | undefined> {
  const answers = new Map<string, boolean>();
  let boots = 0;
  let smallest: Drawn['scenario'] | undefined;
  const holds = async (each: Drawn): Promise<boolean> => {
    const text = stableJson(each.scenario);
    if (boots === 0 && text !== stableJson(scenario)) return true;
    if (each.kernel !== kernel) return true;
    const known = answers.get(text);
    if (known === undefined && boots >= limit) return true;
    if (known === undefined) {
      boots++;
      answers.set(text, await shows(each.scenario));
    }
    if (!answers.get(text)) return true;
    smallest = each.scenario;
    return false;
  };
  await fc.check(fc.asyncProperty(drawOn(kernels), holds), {
    seed: from.seed,
    path: String(from.index),
    numRuns: 1,
  });
  return smallest && { scenario: smallest, boots };
}

/** Seeds of places must differ between explorations: the finalizer of MurmurHash3 (Appleby). */
function mixed(seed: number, place: number): number {
  let state = (Math.imul(seed, 0x9e3779b1) + place) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return state ^ (state >>> 16);
}
