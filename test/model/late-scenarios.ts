// SPDX-License-Identifier: GPL-2.0-only
import { type LateStep, lateSteps } from '../../src/model/late.ts';
import { allScenarios } from '../../src/scenario/built-in.ts';
import { whyUnfit } from '../../src/scenario/fit.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { traitsOfGeneration } from '../scenario/asked.ts';

/**
 * All that a run of all scenarios boots on a kernel, but the largest, whose maps take long, each
 * with what its boot can show late.
 */
export function lateStepsOn(generation: string): Map<Scenario, LateStep[]> {
  const traits = traitsOfGeneration(generation);
  const fitting = { ...traits, builtInDrivers: [], hasModules: true };
  const scenarios = allScenarios.filter((scenario) => whyUnfit(scenario, fitting) === undefined);
  return new Map(scenarios.map((each) => [each, lateSteps(traits, each)]));
}
