import { countText } from '../diff/text.ts';
import { type Paint, painter } from './colour.ts';
import { describeReach, type FoldedFinding, foldFindings } from './fold-findings.ts';
import { notWitnessed } from './limits.ts';
import { layMatrix, type Matrix } from './matrix.ts';
import { fit, hang, plainLine, wrap } from './plain-text.ts';
import { tableLines } from './terminal-table.ts';
import type { Report } from './types.ts';
import { describeUnfit } from './unfit.ts';
import { formatSeconds } from './units.ts';
import { countVerdicts, describeCounts, verdictOrder, verdictStyles } from './verdicts.ts';

/** No line of a report is wider than this. */
export const terminalWidth = 100;

const listedNames = 6;

function names(all: readonly string[]): string {
  const shown = all.slice(0, listedNames).map((name) => plainLine(name));
  return all.length > listedNames ? `${shown.join(', ')} and ${all.length - listedNames} more` : shown.join(', ');
}

function findingLines(folded: FoldedFinding, paint: Paint): string[] {
  const { finding } = folded;
  const status = finding.known === undefined ? 'NEW  ' : 'known';
  const id = fit(plainLine(finding.id), terminalWidth - 40);
  const where = finding.checkpoint === undefined ? finding.kind : `${finding.kind} at ${finding.checkpoint}`;
  const known =
    finding.known === undefined ? [] : hang('         known issue ', plainLine(finding.known), terminalWidth);
  return [
    `  ${paint(finding.known === undefined ? '1;31' : '36', status)}  ${paint('1', id)}  ${paint('2', where)}`,
    ...hang('         ', plainLine(finding.title), terminalWidth),
    ...known,
    ...hang('         ', `${describeReach(folded)}: ${names(folded.kernels)}`, terminalWidth),
    ...hang('         × ', names(folded.scenarios), terminalWidth),
    ...hang('         ./ptdiff show ', plainLine(folded.cases[0].case), terminalWidth),
  ];
}

function reasonLines(report: Report, paint: Paint): string[] {
  const troubled = report.cases.filter(({ reason }) => reason !== undefined);
  const reasons = new Map<string, typeof troubled>();
  for (const result of troubled) {
    const key = `${result.verdict}: ${plainLine(result.reason ?? '')}`;
    reasons.set(key, [...(reasons.get(key) ?? []), result]);
  }
  return [...reasons].flatMap(([reason, cases]) => {
    const [first, ...rest] = hang('  ', `${reason} (${names(cases.map((result) => result.case))})`, terminalWidth);
    return [paint(verdictStyles[cases[0].verdict].sgr, first), ...rest];
  });
}

/** What was assumed of kernels and is not known of them, each said once. */
function noteLines(cases: Report['cases']): string[] {
  const noted = cases.flatMap((result) => (result.notes ?? []).map((note) => ({ note, kernel: result.kernel.spec })));
  return [...Map.groupBy(noted, ({ note }) => note)].map(
    ([note, each]) => `${names([...new Set(each.map(({ kernel }) => kernel))])}: ${plainLine(note)}`,
  );
}

function limitLines(): string[] {
  const what = notWitnessed.map((limit) => limit.what.replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase()));
  return wrap(`Not witnessed, since the emulator (TCG) hides it: ${what.join('; ')}.`, terminalWidth);
}

function legend(matrix: Matrix): string[] {
  const has = (kind: string) => matrix.rows.some((row) => row.cells.some((cell) => cell.kind === kind));
  const verdicts = verdictOrder
    .filter((verdict) =>
      matrix.rows.some((row) => row.cells.some((cell) => cell.kind === 'ended' && cell.result.verdict === verdict)),
    )
    .map((verdict) => `${verdictStyles[verdict].letter} ${verdict}`);
  const others = [...(has('left-out') ? ['· left out by thinning'] : []), ...(has('planned') ? ['? not run yet'] : [])];
  const entries = [...verdicts, ...others];
  return entries.length === 0 ? [] : [entries.join('   ')];
}

/** What came of the run, in one sentence; a hundred columns hold it save in the worst of runs. */
export function summaryLine(report: Report): string {
  const { run, cases } = report;
  const folded = foldFindings(cases);
  const fresh = folded.filter(({ finding }) => finding.known === undefined).length;
  const missing = run.planned.length - cases.length;
  const seconds = run.ended === undefined ? undefined : (Date.parse(run.ended) - Date.parse(run.started)) / 1000;
  const parts = [
    `${countText(cases.length, 'case')}${missing > 0 ? ` (${missing} not run)` : ''}: ${describeCounts(countVerdicts(cases))}`,
    `${countText(fresh, 'new finding')}, ${folded.length - fresh} known`,
    ...(seconds === undefined ? [] : [formatSeconds(seconds)]),
  ];
  return parts.join(' · ');
}

/**
 * The end of a run for a terminal, at most 100 columns wide: the matrix of verdicts, why cases ended without one, the findings
 * folded over the cases, what could not be witnessed, and the summary in the last line. Ends with a newline.
 */
export function formatRun(report: Report, options: { colour: boolean }): string {
  const paint = painter(options.colour);
  const matrix = layMatrix(report.run, report.cases);
  const reasons = reasonLines(report, paint);
  const findings = foldFindings(report.cases).flatMap((folded) => findingLines(folded, paint));
  const thinned = report.run.leftOut.length;
  const notes = [
    ...report.run.unavailable.map(({ spec, reason }) => `${plainLine(spec)}: ${plainLine(reason)}`),
    ...report.run.emulator.notes.map((note) => plainLine(note)),
    ...describeUnfit(report.run.unfit).map(plainLine),
    ...noteLines(report.cases),
    ...(thinned > 0
      ? [`Pairwise thinning left out ${countText(thinned, 'case')}; --scenario all runs everything.`]
      : []),
  ];
  const sections = [
    [...tableLines(matrix, terminalWidth, paint), ...legend(matrix)],
    reasons.length > 0 ? [paint('1', 'Hang, crash, error'), ...reasons] : [],
    findings.length > 0 ? [paint('1', 'Findings'), ...findings] : [],
    notes.flatMap((note) => hang('Note: ', note, terminalWidth)),
    limitLines(),
    wrap(summaryLine(report), terminalWidth).map((line) => paint('1', line)),
  ];
  const blocks = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${blocks.join('\n\n')}\n`;
}
