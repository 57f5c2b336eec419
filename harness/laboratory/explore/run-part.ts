// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { replaceFile } from '../../../host/host-file.ts';
import { makeFolder } from '../../../host/make-folder.ts';
import { readRunRecord } from '../../../results/run-folder.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import type { PlannedCase } from '../../../src/report/types.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import { stableJson } from '../../../src/stable-json.ts';
import type { MatrixRequest } from '../plan-matrix.ts';

/** Scenarios, each for one kernel by its spec. */
type Machines = readonly { scenario: Scenario; kernel: string }[];

/** How runs are made, whatever they run. */
export type Manner = Pick<
  MatrixRequest,
  'jobs' | 'loaded' | 'depth' | 'qemu' | 'enough' | 'farm' | 'urgent' | 'record'
>;

/**
 * The run of some machines, each on its kernel: their scenarios are a file beside the run folder,
 * as a user would write it.
 * @param out the run folder
 */
export function requestOf(machines: Machines, out: string, manner: Manner): MatrixRequest {
  const file = `${out}.json`;
  makeFolder(join(out, '..'));
  replaceFile(
    file,
    `${stableJson(
      machines.map(({ scenario }) => scenario),
      1,
    )}\n`,
  );
  const kernelOf = new Map(machines.map(({ scenario, kernel }) => [scenario.name, kernel]));
  return {
    ...manner,
    out,
    kernels: [...new Set(machines.map(({ kernel }) => kernel))],
    scenarios: [file],
    select: (planned: readonly PlannedCase[]) =>
      planned.filter(({ scenario, kernel }) => kernelOf.get(scenario) === kernel),
  };
}

/** Whether a run that began in a folder has come to its end. */
export function hasEnded(out: string, results: readonly CaseResult[]): boolean {
  const { ended, planned } = readRunRecord(out);
  const done = new Set(results.map((result) => result.case));
  return ended !== undefined && planned.every((each) => done.has(each.case));
}
