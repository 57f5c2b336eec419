// SPDX-License-Identifier: GPL-2.0-only
import { type Laboratory, prepareLaboratory } from '../harness/laboratory/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../harness/laboratory/plan.ts';
import { say } from '../host/say.ts';
import { first } from '../src/present.ts';
import type { Scenario } from '../src/scenario/types.ts';

/** What every measured boot needs, prepared before any measurement. */
export interface BenchLaboratory {
  laboratory: Laboratory;
  kernel: LoadedKernel;
  scenario: Scenario;
}

/**
 * @param record whether boots are recorded
 * @throws PtdiffError as `ptdiff run` does
 */
export async function benchLaboratory(
  kernel: string,
  scenario: string,
  record = true,
): Promise<BenchLaboratory> {
  const found = first(await scenariosNamed(scenario));
  return {
    kernel: await loadKernel(kernel, { progress: say }),
    scenario: found,
    laboratory: await prepareLaboratory([found], undefined, record),
  };
}
