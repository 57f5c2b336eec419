// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult, Finding } from '../../diff/types.ts';
import { PtdiffError } from '../../errors.ts';
import { releaseOf } from '../../linux/release.ts';
import { foldFindings } from '../fold-findings.ts';
import { plainLine } from '../plain-text.ts';

/** A finding and the case that represents it. */
export interface ChosenFinding {
  finding: Finding;
  /** Of the cases that show it, the first one on the newest kernel. */
  result: CaseResult;
}

const mostNamed = 10;

/** A kernel whose release cannot be read counts as older than all others. */
const noRelease = { major: 0, minor: 0, patch: 0 };

function newest(cases: readonly CaseResult[]): CaseResult {
  return cases.reduce((best, each) => {
    const { major, minor, patch } = releaseOf(best.kernel.release) ?? noRelease;
    const other = releaseOf(each.kernel.release) ?? noRelease;
    return (other.major - major || other.minor - minor || other.patch - patch) > 0 ? each : best;
  });
}

function listed(ids: readonly string[]): string {
  const more = ids.length > mostNamed ? ` and ${ids.length - mostNamed} more` : '';
  return `${ids.slice(0, mostNamed).map(plainLine).join(', ')}${more}`;
}

/**
 * The finding that a mail is about: the one with the id or, without an id, the only one that no
 * known issue explains.
 * @throws PtdiffError(usage) that lists the available findings
 */
export function chooseFinding(cases: readonly CaseResult[], id: string | undefined): ChosenFinding {
  const folds = foldFindings(cases);
  const ids = [...new Set(folds.map(({ finding }) => finding.id))];
  const wanted = folds.filter(({ finding }) =>
    id === undefined ? finding.known === undefined : finding.id === id,
  );
  const [chosen] = wanted;
  if (chosen && (id !== undefined || wanted.length === 1)) {
    const result = newest(chosen.cases);
    const finding = result.findings.find((each) => each.id === chosen.finding.id) ?? chosen.finding;
    return { finding, result };
  }
  if (ids.length === 0) throw new PtdiffError('usage', 'The run has no finding to write about.');
  const why =
    id === undefined
      ? `The run has ${wanted.length} new findings`
      : `The run has no finding '${id}'`;
  const names =
    id === undefined && wanted.length > 0 ? wanted.map(({ finding }) => finding.id) : ids;
  throw new PtdiffError('usage', `${why}; name one with --finding: ${listed(names)}.`);
}
