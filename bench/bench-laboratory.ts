import { buildInitramfs } from '../guest/build.ts';
import { loadKnownIssues } from '../results/known-issues.ts';
import { chooseEmulator, knownIssuesFolder, loadMonitor } from '../src/cli/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../src/cli/loaded-kernel.ts';
import { say } from '../src/cli/output.ts';
import { scenariosNamed } from '../src/cli/plan.ts';
import type { Laboratory } from '../src/cli/run-case.ts';
import { first } from '../src/present.ts';
import type { Scenario } from '../src/scenario/types.ts';

/** What every measured boot needs, brought before any clock runs. */
export interface BenchLaboratory {
  laboratory: Laboratory;
  kernel: LoadedKernel;
  scenario: Scenario;
}

/** @throws PtdiffError as `ptdiff run` does */
export async function benchLaboratory(kernel: string, scenario: string): Promise<BenchLaboratory> {
  const found = first(await scenariosNamed(scenario));
  return {
    kernel: await loadKernel(kernel, { progress: say }),
    scenario: found,
    laboratory: {
      emulator: await chooseEmulator(undefined),
      initramfs: await buildInitramfs({ progress: say }),
      ...(found.machine.firmware && { monitor: await loadMonitor() }),
      knownIssues: await loadKnownIssues(knownIssuesFolder),
    },
  };
}
