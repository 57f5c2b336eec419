// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';
import { kernelLabel } from '../scenario/names.ts';
import type { PlannedCase, RunRecord } from './types.ts';

/** A kernel of the matrix: one per spec, in the order of the run. */
export interface MatrixRow {
  spec: string;
  /**
   * The label of its cases: `uname -r`, and what distinguishes it from another kernel of that
   * release.
   */
  name: string;
  cells: MatrixCell[];
}

/** One case of the matrix, or the reason why there is none. */
export type MatrixCell =
  | { kind: 'ended'; result: CaseResult }
  | { kind: 'planned'; case: string }
  | { kind: 'left-out' }
  | { kind: 'absent' };

/** Kernels by scenarios. */
export interface Matrix {
  scenarios: string[];
  rows: MatrixRow[];
}

function cellOf(
  planned: PlannedCase | undefined,
  result: CaseResult | undefined,
  leftOut: boolean,
): MatrixCell {
  if (result !== undefined) return { kind: 'ended', result };
  if (planned !== undefined) return { kind: 'planned', case: planned.case };
  return leftOut ? { kind: 'left-out' } : { kind: 'absent' };
}

/** Lays out the cases of a run as kernels by scenarios, both in planned order. */
export function layMatrix(run: RunRecord, cases: readonly CaseResult[]): Matrix {
  const key = (kernel: string, scenario: string) => JSON.stringify([kernel, scenario]);
  const planned = new Map(run.planned.map((entry) => [key(entry.kernel, entry.scenario), entry]));
  const leftOut = new Set(run.leftOut.map((entry) => key(entry.kernel, entry.scenario)));
  const results = new Map(
    cases.map((result) => [key(result.kernel.spec, result.scenario), result]),
  );
  const everything = [
    ...run.planned,
    ...cases.map((result) => ({ kernel: result.kernel.spec, scenario: result.scenario })),
  ];
  const named = new Set(everything.map(({ scenario }) => scenario));
  const inOrder = run.scenarios.map(({ name }) => name).filter((name) => named.has(name));
  const scenarios = [...new Set([...inOrder, ...named])];
  const labels = new Map([
    ...run.planned.map((each) => [each.kernel, kernelLabel(each, each.kernel)] as const),
    ...cases.map(
      (result) =>
        [
          result.kernel.spec,
          kernelLabel(result, result.kernel.release || result.kernel.spec),
        ] as const,
    ),
  ]);
  const rows = [...new Set(everything.map(({ kernel }) => kernel))].map((spec) => ({
    spec,
    name: labels.get(spec) ?? spec,
    cells: scenarios.map((scenario) => {
      const place = key(spec, scenario);
      return cellOf(planned.get(place), results.get(place), leftOut.has(place));
    }),
  }));
  return { scenarios, rows };
}
