// SPDX-License-Identifier: GPL-2.0-only
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
 * Findings with the same id folded into one: new ones first, then those that most cases show. A
 * finding that is known on one kernel and new on another is two entries: one must not hide the
 * other.
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

/**
 * Where a folded finding shows, in words: '2 kernels × 3 scenarios', or '4 cases' where the product
 * would claim too much.
 */
export function describeReach(folded: FoldedFinding): string {
  const { cases, kernels, scenarios } = folded;
  if (kernels.length * scenarios.length !== cases.length) return countText(cases.length, 'case');
  if (cases.length === 1) return '1 case';
  return `${countText(kernels.length, 'kernel')} × ${countText(scenarios.length, 'scenario')}`;
}

/** One known issue over all cases that show it. */
export interface FoldedIssue extends Omit<FoldedFinding, 'finding'> {
  /** Name of its file in results/known-issues. */
  id: string;
  /** Its findings, starting with the one in the most cases. */
  findings: FoldedFinding[];
}

/** The findings grouped for a reader: new ones individually, known ones by their cause. */
interface FindingsByIssue {
  fresh: FoldedFinding[];
  /** Starting with the issue in the most cases. */
  issues: FoldedIssue[];
}

/** Folds the findings of cases, and groups those that a known issue explains under that issue. */
export function foldByIssue(cases: readonly CaseResult[]): FindingsByIssue {
  const folds = foldFindings(cases);
  const known = Map.groupBy(
    folds.filter(({ finding }) => finding.known !== undefined),
    ({ finding }) => finding.known ?? '',
  );
  const issues = [...known].map(([id, findings]): FoldedIssue => {
    const shown = new Set(findings.flatMap((fold) => fold.cases));
    return {
      id,
      findings,
      cases: cases.filter((result) => shown.has(result)),
      kernels: unique(findings.flatMap(({ kernels }) => kernels)),
      scenarios: unique(findings.flatMap(({ scenarios }) => scenarios)),
    };
  });
  return {
    fresh: folds.filter(({ finding }) => finding.known === undefined),
    issues: issues.sort((left, right) => right.cases.length - left.cases.length),
  };
}

/**
 * Number of findings by id: one that two known issues explain counts once. All reports count this
 * way.
 */
export function countFindings({ fresh, issues }: FindingsByIssue): {
  fresh: number;
  issues: number;
  known: number;
} {
  const known = new Set(
    issues.flatMap(({ findings }) => findings.map(({ finding }) => finding.id)),
  );
  return { fresh: fresh.length, issues: issues.length, known: known.size };
}

/** '2 new findings, 8 known issues (21 findings)'. */
export function describeFindings(folded: FindingsByIssue): string {
  const { fresh, issues, known } = countFindings(folded);
  const documented = countText(issues, 'known issue');
  return `${countText(fresh, 'new finding')}, ${documented}${issues === 0 ? '' : ` (${countText(known, 'finding')})`}`;
}

/** The title of a finding with its checkpoint: titles alone are not unique. */
export function titleOf({ title, checkpoint }: Pick<Finding, 'title' | 'checkpoint'>): string {
  return checkpoint === undefined ? title : `${title.replace(/\.$/, '')}, at ${checkpoint}`;
}
