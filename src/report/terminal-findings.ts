// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../diff/match-known.ts';
import { countText } from '../diff/text.ts';
import type { CaseResult } from '../diff/types.ts';
import { first } from '../present.ts';
import type { Paint } from './colour.ts';
import { caseCommand, repeatCommand } from './commands.ts';
import { describeReach, type FoldedFinding, type FoldedIssue, titleOf } from './fold-findings.ts';
import { column, fit, hang, plainLine } from './plain-text.ts';
import type { Report } from './types.ts';

const listedNames = 6;

/** Names in a list that is kept short. */
export function names(all: readonly string[]): string {
  const shown = all.slice(0, listedNames).map((name) => plainLine(name));
  return all.length > listedNames
    ? `${shown.join(', ')} and ${all.length - listedNames} more`
    : shown.join(', ');
}

/**
 * How to see a case and how to boot it again. A command is meant to be copied: it stays on one line
 * whatever its length.
 */
function commandLines(report: Report, result: CaseResult, indent: string): string[] {
  const again = repeatCommand(report, result);
  return [
    `${indent}see it:   ${caseCommand('show', result.case, report.folder)}`,
    ...(again === undefined ? [] : [`${indent}boot it:  ${plainLine(again)}`]),
  ];
}

/** A finding with where it shows. Its id is never cut, since other commands take it. */
function findingLines(folded: FoldedFinding, indent: string, paint: Paint): string[] {
  const { finding, kernels, scenarios } = folded;
  return [
    `${indent}${paint('1', plainLine(finding.id))}`,
    ...hang(`${indent}  `, plainLine(titleOf(finding)), paint.width),
    ...hang(`${indent}  `, `${describeReach(folded)}: ${names(kernels)}`, paint.width),
    ...hang(`${indent}  × `, names(scenarios), paint.width),
  ];
}

/** Findings that no known issue explains: what, where, how to see it, how to repeat it. */
export function newFindingLines(
  report: Report,
  fresh: readonly FoldedFinding[],
  paint: Paint,
): string[] {
  return fresh.flatMap((folded) => {
    const [id = '', ...rest] = findingLines(folded, '    ', paint);
    return [
      `${paint('1;31', 'NEW')} ${id.trimStart()}`,
      ...rest,
      ...commandLines(report, first(folded.cases), '      '),
    ];
  });
}

const reachOf = ({ kernels, cases }: FoldedIssue): string =>
  `${countText(kernels.length, 'kernel')}, ${countText(cases.length, 'case')}`;

/** No file of results/known-issues has a longer name; an old run folder may contain any name. */
const mostId = 40;

/** A title shorter than this says nothing. */
const leastTitle = 16;

/**
 * One line per known issue: its name (a file of results/known-issues), where it shows, and its
 * title.
 */
export function issueLines(
  report: Report,
  issues: readonly FoldedIssue[],
  options: { full: boolean },
  paint: Paint,
): string[] {
  const ids = Math.min(mostId, Math.max(...issues.map(({ id }) => plainLine(id).length)));
  const reaches = Math.max(...issues.map((issue) => reachOf(issue).length));
  return issues.flatMap((issue) => {
    const head = `  ${column(plainLine(issue.id), ids)}  ${column(reachOf(issue), reaches)}`;
    const known: KnownIssue | undefined = report.knownIssues.find(({ id }) => id === issue.id);
    const room = paint.width - head.length - 2;
    const title =
      known === undefined || room < leastTitle ? '' : `  ${fit(plainLine(known.title), room)}`;
    const line = paint('36', head) + title;
    if (!options.full) return [line];
    return [
      line,
      ...issue.findings.flatMap((folded) => [
        ...findingLines(folded, '    ', paint),
        ...commandLines(report, first(folded.cases), '      ').slice(0, 1),
      ]),
    ];
  });
}
