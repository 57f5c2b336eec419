// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../../diff/types.ts';
import { kernelLabel } from '../../scenario/names.ts';
import type { PlannedCase, Report } from '../types.ts';

/** What an export of a whole run is made of; of the dossiers it takes what is there. */
export type RunResults = Pick<Report, 'run' | 'cases' | 'dossiers' | 'knownIssues'>;

/** A case of the run; without a result it was planned, but the run ended before. */
export interface OutlinedCase {
  scenario: string;
  result?: CaseResult;
}

/** The cases of one kernel. */
export interface OutlinedKernel {
  /**
   * What the names of its cases begin with: its release, and a part of its hash where two kernels
   * share that.
   */
  label: string;
  /** As the user named it. */
  spec: string;
  cases: OutlinedCase[];
}

/**
 * The cases of a run by kernel, each in the order of the plan; results that no plan names come
 * last.
 */
export function outlineOf({ run, cases }: Pick<RunResults, 'run' | 'cases'>): OutlinedKernel[] {
  const results = new Map(cases.map((result) => [result.case, result]));
  const planned = new Set(run.planned.map((each) => each.case));
  const unplanned = cases
    .filter((result) => !planned.has(result.case))
    .map(
      (result): PlannedCase => ({
        case: result.case,
        kernel: result.kernel.spec,
        scenario: result.scenario,
      }),
    );
  const kernels = new Map<string, OutlinedKernel>();
  for (const each of [...run.planned, ...unplanned]) {
    const label = kernelLabel(each, each.kernel);
    const kernel = kernels.get(label) ?? { label, spec: each.kernel, cases: [] };
    const result = results.get(each.case);
    kernel.cases.push({ scenario: each.scenario, ...(result && { result }) });
    kernels.set(label, kernel);
  }
  return [...kernels.values()];
}
