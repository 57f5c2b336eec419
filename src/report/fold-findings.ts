import { countText } from '../diff/text.ts';
import type { CaseResult, Finding } from '../diff/types.ts';
import { kernelLabel } from '../scenario/names.ts';

/** One defect over all cases that show it. */
export interface FoldedFinding {
  finding: Finding;
  /** In the order of the run. */
  cases: CaseResult[];
  /** Labels of the kernels, in the order of the run. */
  kernels: string[];
  scenarios: string[];
}

function unique(values: Iterable<string>): string[] {
  return [...new Set(values)];
}

function rank(folded: FoldedFinding): number {
  return (folded.finding.known === undefined ? 0 : 1) * 1e9 - folded.cases.length;
}

/**
 * Findings with the same id folded into one: new ones first, then those that most cases show. A finding that is known on one
 * kernel and new on another is two entries: the one must not hide the other.
 */
export function foldFindings(cases: readonly CaseResult[]): FoldedFinding[] {
  const folds = new Map<string, FoldedFinding>();
  for (const result of cases) {
    for (const finding of result.findings) {
      const key = JSON.stringify([finding.id, finding.known ?? null]);
      const fold = folds.get(key) ?? { finding, cases: [], kernels: [], scenarios: [] };
      if (!fold.cases.includes(result)) fold.cases.push(result);
      folds.set(key, fold);
    }
  }
  for (const fold of folds.values()) {
    fold.kernels = unique(fold.cases.map((result) => kernelLabel(result, result.kernel.release)));
    fold.scenarios = unique(fold.cases.map(({ scenario }) => scenario));
  }
  return [...folds.values()].sort((left, right) => rank(left) - rank(right));
}

/** Where a folded finding shows, in words: '2 kernels × 3 scenarios', or '4 cases' where that would claim too much. */
export function describeReach(folded: FoldedFinding): string {
  const { cases, kernels, scenarios } = folded;
  if (kernels.length * scenarios.length !== cases.length) return countText(cases.length, 'case');
  if (cases.length === 1) return '1 case';
  return `${countText(kernels.length, 'kernel')} × ${countText(scenarios.length, 'scenario')}`;
}
