// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../../diff/types.ts';
import { type Depth, depthOf } from '../../scenario/depth.ts';
import { kernelLabel } from '../../scenario/names.ts';
import type { PlannedCase, Report } from '../types.ts';

/** The data for an export of a whole run; it uses the dossiers that exist. */
export type RunResults = Pick<Report, 'run' | 'cases' | 'dossiers' | 'knownIssues'>;

/** A case of the run; without a result it was planned, but the run ended first. */
export interface OutlinedCase {
  scenario: string;
  /** How far it was booted, or should have been. */
  depth: Depth;
  result?: CaseResult;
}

/** The cases of one kernel. */
export interface OutlinedKernel {
  /**
   * The start of its cases' names: its release, and a part of its hash where two kernels share the
   * release.
   */
  label: string;
  /** As the user named it. */
  spec: string;
  cases: OutlinedCase[];
}

/**
 * The cases of a run by kernel, each in planned order; results that are not in the plan come last.
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
        ...(result.depth && { depth: result.depth }),
      }),
    );
  const kernels = new Map<string, OutlinedKernel>();
  for (const each of [...run.planned, ...unplanned]) {
    const label = kernelLabel(each, each.kernel);
    const kernel = kernels.get(label) ?? { label, spec: each.kernel, cases: [] };
    const result = results.get(each.case);
    const depth = depthOf(result ?? each);
    kernel.cases.push({ scenario: each.scenario, depth, ...(result && { result }) });
    kernels.set(label, kernel);
  }
  return [...kernels.values()];
}
