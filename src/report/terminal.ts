// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import { first } from '../present.ts';
import { depthOf } from '../scenario/depth.ts';
import { describeAwaited } from './awaited.ts';
import { describeBudget } from './budget.ts';
import { type Paint, type PaintOptions, painter, tableWidth } from './colour.ts';
import { describeEarly } from './early.ts';
import { shellWord } from './export/mail-layout.ts';
import { describeFindings, foldByIssue } from './fold-findings.ts';
import { areBoards, notWitnessed } from './limits.ts';
import { layMatrix, type Matrix } from './matrix.ts';
import { hang, plainLine, wrap } from './plain-text.ts';
import { issueLines, names, newFindingLines } from './terminal-findings.ts';
import { countLines, tableLines } from './terminal-table.ts';
import type { Report } from './types.ts';
import { describeUnfit } from './unfit.ts';
import { formatSeconds } from './units.ts';
import { countVerdicts, describeCounts, verdictOrder, verdictStyles } from './verdicts.ts';

function reasonLines(report: Report, paint: Paint): string[] {
  const troubled = report.cases.filter(({ reason }) => reason !== undefined);
  const reasons = new Map<string, typeof troubled>();
  for (const result of troubled) {
    const key = `${result.verdict}: ${plainLine(result.reason ?? '')}`;
    reasons.set(key, [...(reasons.get(key) ?? []), result]);
  }
  return [...reasons].flatMap(([reason, cases]) => {
    const [head = '', ...rest] = hang(
      '  ',
      `${reason} (${names(cases.map((result) => result.case))})`,
      paint.width,
    );
    return [paint(verdictStyles[first(cases).verdict].sgr, head), ...rest];
  });
}

/** What was assumed about kernels and what is not known about them, each said once. */
function assumptionLines(cases: Report['cases']): string[] {
  const noted = cases.flatMap((result) =>
    (result.notes ?? []).map((note) => ({ note, kernel: result.kernel.spec })),
  );
  return [...Map.groupBy(noted, ({ note }) => note)].map(
    ([note, each]) =>
      `${names([...new Set(each.map(({ kernel }) => kernel))])}: ${plainLine(note)}`,
  );
}

function limitLines(cases: Report['cases'], paint: Paint): string[] {
  const what = notWitnessed(cases).map((limit) =>
    limit.what.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()),
  );
  const since = areBoards(cases) ? '' : ', since the emulator (TCG) hides it';
  return wrap(`Not witnessed${since}: ${what.join('; ')}.`, paint.width);
}

/**
 * Scenarios that get a column each in a summary; more of them are only counted, and the full report
 * shows them.
 */
const mostColumns = 12;

function matrixLines(matrix: Matrix, full: boolean, paint: Paint): string[] {
  if (full || matrix.scenarios.length <= mostColumns)
    return [...tableLines(matrix, tableWidth(paint), paint), ...legend(matrix)];
  return [
    ...countLines(matrix, paint),
    ...legend(matrix).map((line) => line.replace(/ {3}(?:small letters|·).*/s, '')),
  ];
}

function legend(matrix: Matrix): string[] {
  const has = (kind: string) =>
    matrix.rows.some((row) => row.cells.some((cell) => cell.kind === kind));
  const verdicts = verdictOrder
    .filter((verdict) =>
      matrix.rows.some((row) =>
        row.cells.some((cell) => cell.kind === 'ended' && cell.result.verdict === verdict),
      ),
    )
    .map((verdict) => `${verdictStyles[verdict].letter} ${verdict}`);
  const hasEarly = matrix.rows.some((row) =>
    row.cells.some((cell) => cell.kind === 'ended' && depthOf(cell.result) === 'early'),
  );
  const others = [
    ...(hasEarly ? ['small letters: ended early'] : []),
    ...(has('left-out') ? ['· left out by thinning'] : []),
    ...(has('planned') ? ['? not run yet'] : []),
  ];
  const entries = [...verdicts, ...others];
  return entries.length === 0 ? [] : [entries.join('   ')];
}

/**
 * The result of the run in one sentence; it fits into a hundred columns except for the worst runs.
 */
export function summaryLine(report: Report): string {
  const { run, cases } = report;
  const missing = run.planned.length - cases.length;
  const seconds =
    run.ended === undefined ? undefined : (Date.parse(run.ended) - Date.parse(run.started)) / 1000;
  const parts = [
    `${countText(cases.length, 'case')}${missing > 0 ? ` (${missing} not run)` : ''}: ${describeCounts(countVerdicts(cases))}`,
    describeFindings(foldByIssue(cases)),
    ...(seconds === undefined ? [] : [formatSeconds(seconds)]),
  ];
  return parts.join(' · ');
}

/** What was not run, and why. */
function noteLines({ run, cases }: Report, full: boolean): string[] {
  const thinned = run.leftOut.length;
  return [
    ...run.unavailable.map(({ spec, reason }) => `${plainLine(spec)}: ${plainLine(reason)}`),
    ...run.emulator.notes.map((note) => plainLine(note)),
    ...describeUnfit(run.unfit, { full }).map(plainLine),
    ...assumptionLines(cases),
    ...describeEarly(run),
    ...describeBudget({ run, cases }, { full }),
    ...describeAwaited(run).map(plainLine),
    ...(thinned > 0
      ? [
          `Pairwise thinning left out ${countText(thinned, 'case')}; --scenario all runs everything.`,
        ]
      : []),
  ];
}

/** How to see what a summary leaves out. */
function moreLine({ folder }: Report, paint: Paint): string[] {
  const command = folder === undefined ? '--full' : `./ptdiff report ${shellWord(folder)} --full`;
  return [paint('2', `All findings and the matrix: ${command}`)];
}

/**
 * The end of a run for a terminal: what is new, why cases ended without a verdict, the verdicts by
 * kernel, the known issues, what a run cannot show, and the summary in the last line. Known issues
 * take one line each, and many scenarios are only counted; `full` lists all findings and the
 * matrix. Ids and commands are never broken. Ends with a newline.
 */
export function formatRun(report: Report, options: PaintOptions & { full?: boolean }): string {
  const paint = painter(options);
  const full = options.full === true;
  const matrix = layMatrix(report.run, report.cases);
  const reasons = reasonLines(report, paint);
  const folded = foldByIssue(report.cases);
  const { fresh, issues } = folded;
  const shortened = !full && (issues.length > 0 || matrix.scenarios.length > mostColumns);
  const sections = [
    newFindingLines(report, fresh, paint),
    reasons.length > 0 ? [paint('1', 'Hang, crash, error'), ...reasons] : [],
    matrixLines(matrix, full, paint),
    issues.length > 0
      ? [paint('1', 'Known issues'), ...issueLines(report, issues, { full }, paint)]
      : [],
    shortened ? moreLine(report, paint) : [],
    noteLines(report, full).flatMap((note) => hang('Note: ', note, paint.width)),
    limitLines(report.cases, paint),
    wrap(summaryLine(report), paint.width).map((line) => paint('1', line)),
  ];
  const blocks = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${blocks.join('\n\n')}\n`;
}
