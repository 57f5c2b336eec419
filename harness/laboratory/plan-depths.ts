// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { lateSteps, tellingLate, untoldBy } from '../../src/model/late.ts';
import type { PlannedCase } from '../../src/report/types.ts';
import type { DepthChoice } from '../../src/scenario/depth.ts';
import type { FittingTraits } from '../../src/scenario/fit.ts';
import { caseName } from '../../src/scenario/names.ts';
import type { Scenario } from '../../src/scenario/types.ts';

/** What the plan needs to know about a kernel. */
export interface PlannedKernel {
  spec: string;
  /** The kernel's part of its cases' names: the release, or a substitute. */
  label: string;
  /** It is not known yet, or not under which name: nothing of it is certain. */
  awaited?: true;
  /**
   * Decides which scenarios it can run; absent where the kernel is not available, in which case all
   * count as possible.
   */
  traits?: FittingTraits;
  /** Decides how a boot continues after its early end; absent where it cannot be ended early. */
  late?: KernelTraits;
  /** The complete command line of a scenario on it, including what ptdiff adds. */
  commandLine?(scenario: Scenario): string;
}

/** A kernel and a scenario that it can run. */
export interface Pair {
  kernel: PlannedKernel;
  scenario: Scenario;
}

/** The cases of one kernel; one that cannot be ended early is booted in full. */
function depthsOn(
  { label, spec, late }: PlannedKernel,
  scenarios: readonly Scenario[],
  depth: DepthChoice,
  chosen: readonly Scenario[],
): Map<Scenario, PlannedCase> {
  const steps = new Map(
    late && depth !== 'full' ? scenarios.map((each) => [each, lateSteps(late, each)]) : [],
  );
  const full = depth === 'planned' ? tellingLate(steps, chosen) : new Set<Scenario>();
  const untold = untoldBy(steps, full);
  const planned = scenarios.map((scenario): [Scenario, PlannedCase] => {
    const notLookedAt = untold.get(scenario)?.map(({ what, by }) => {
      return { what, ...(by !== undefined && { toldBy: caseName(label, by) }) };
    });
    const how = notLookedAt ? { depth: 'early' as const, notLookedAt } : { depth: 'full' as const };
    const name = caseName(label, scenario.name);
    return [scenario, { case: name, kernel: spec, scenario: scenario.name, ...how }];
  });
  return new Map(planned);
}

/**
 * How far each case is booted. As planned, that is in full what must be, and on each kernel what
 * can tell something after the early end that no other case tells which is booted in full.
 * @param mustBe what is booted in full whatever else there is
 */
export function planDepths(
  pairs: readonly Pair[],
  depth: DepthChoice,
  mustBe: (pair: Pair) => boolean = () => false,
): PlannedCase[] {
  const cases = new Map<Pair, PlannedCase>();
  for (const [kernel, own] of Map.groupBy(pairs, (pair) => pair.kernel)) {
    const scenarios = own.map(({ scenario }) => scenario);
    const chosen = own.filter(mustBe).map(({ scenario }) => scenario);
    const planned = depthsOn(kernel, scenarios, depth, chosen);
    for (const pair of own) {
      const found = planned.get(pair.scenario);
      if (found) cases.set(pair, found);
    }
  }
  return pairs.flatMap((pair) => cases.get(pair) ?? []);
}
