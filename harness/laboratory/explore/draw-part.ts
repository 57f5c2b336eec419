// SPDX-License-Identifier: GPL-2.0-only
import { sha256 } from '../../../host/cache.ts';
import type { DrawnMachine, Exploration } from '../../../results/exploration-file.ts';
import { canonicalScenario } from '../../../src/scenario/identity.ts';
import { draw } from '../../../src/scenario/random/draw.ts';
import { choicesOf, SeenSpace } from '../../../src/scenario/random/space.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { reasonAgainst } from '../plan.ts';
import { fittingOf } from '../plan-matrix.ts';

/** Draws in a row that no kernel can run: then something is wrong with the kernels. */
const mostVain = 100;

/** A drawn scenario by a name of its own, which says nothing but is the same wherever it is drawn. */
export function named(scenario: Omit<Scenario, 'name'>): Scenario {
  const name = `machine-${sha256(canonicalScenario({ ...scenario, name: '' })).slice(0, 10)}`;
  return { ...scenario, name };
}

/** The pairs of choices that the machines of an exploration have seen together. */
export function spaceOf({ parts }: Pick<Exploration, 'parts'>): SeenSpace {
  const space = new SeenSpace();
  for (const { scenario, kernel } of parts.flat()) space.add(choicesOf(scenario, kernel));
  return space;
}

/** Whether a kernel can run a scenario. */
export function canRun(kernel: LoadedKernel, scenario: Scenario): boolean {
  return reasonAgainst({ kernel: fittingOf(kernel), scenario }) === undefined;
}

/** The next machines of an exploration: those that show most that none before them showed. */
export function drawPart(
  exploration: Exploration,
  kernels: ReadonlyMap<string, LoadedKernel>,
  count: number,
): DrawnMachine[] {
  const space = spaceOf(exploration);
  const before = new Set(exploration.parts.flat().map(({ scenario }) => scenario.name));
  const machines: DrawnMachine[] = [];
  for (let vain = 0; machines.length < count && vain < mostVain; ) {
    // A draw in vain is not drawn again.
    const place = before.size + vain * 2 ** 20;
    const drawn = draw(exploration.seed, place, exploration.kernels, space, (each) => {
      const kernel = kernels.get(each.kernel);
      return kernel !== undefined && canRun(kernel, named(each.scenario));
    });
    const scenario = drawn && named(drawn.scenario);
    if (!scenario || before.has(scenario.name)) {
      vain++;
      continue;
    }
    before.add(scenario.name);
    space.add(choicesOf(scenario, drawn.kernel));
    machines.push({ scenario, kernel: drawn.kernel, from: drawn.from });
  }
  return machines;
}
