// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { WatchedFinding } from '../nightly/judge-night.ts';
import { reasons } from '../nightly/plan-night.ts';
import { commitText, type NewKernel, type NightSummary } from '../nightly/summary.ts';
import { type Paint, type PaintOptions, painter } from './colour.ts';
import { shellLines, shellWord } from './export/mail-layout.ts';
import { fit, hang, plainLine, wrap } from './plain-text.ts';
import { differenceLines } from './terminal-exploration.ts';
import { formatCount, formatSeconds } from './units.ts';

/** Items of one list: a night fits on one screen, and what is new matters most. */
const shownItems = 3;
const shownNew = 6;
const day = 86_400_000;

const distinct = (findings: readonly WatchedFinding[]): number =>
  new Set(findings.map(({ id }) => id)).size;

function coverageText({ coverage, ended }: NightSummary): string {
  if (coverage.lastFull === undefined) return 'no full coverage yet';
  const days = Math.floor((Date.parse(ended) - Date.parse(coverage.lastFull)) / day);
  return `last full coverage ${days <= 0 ? 'today' : `${countText(days, 'day')} ago`}`;
}

/** Number of findings that are new tonight. */
const newFindings = ({ judgement, explored }: NightSummary): number =>
  new Set([
    ...judgement.fresh.map(({ id }) => id),
    ...(explored?.fresh ?? []).map((each) => each.finding),
  ]).size;

/** What random machines showed that is new, each with the smallest machine that shows it. */
function exploredFindings({ explored }: NightSummary, paint: Paint): string[] {
  return bounded(
    (explored?.fresh ?? []).map((difference) => [
      `  ${paint('1;31', 'NEW')}  ${plainLine(difference.finding)}`,
      ...differenceLines(difference, paint.width),
    ]),
  );
}

function exploredLines({ explored }: NightSummary, paint: Paint): string[] {
  if (!explored) return [];
  const { machines, pairs, seen, still, flaky, folder } = explored;
  const others: [string[], string][] = [
    [still, 'still there'],
    [flaky, 'not in a second boot'],
  ];
  const told = others
    .filter(([ids]) => ids.length > 0)
    .map(([ids, what]) => `, ${countText(ids.length, 'finding')} ${what}`);
  const text = `Random machines: ${formatCount(machines)}${told.join('')}; ${formatCount(pairs)} pairs of choices seen together, ${(100 * seen).toFixed(1)} % of those that can be: ${folder}`;
  return hang('', plainLine(text), paint.width);
}

/** The night in one sentence, e.g. '0 new, 3 known, 1,204 cases, last full coverage 4 days ago'. */
export function nightHeadline(night: NightSummary): string {
  const { known, still, flaky, unconfirmed, gone } = night.judgement;
  const optional: [number, string][] = [
    [distinct(still), 'still there'],
    [distinct(gone), 'gone'],
    [distinct(flaky), 'flaky'],
    [distinct(unconfirmed), 'not confirmed'],
    [night.errors.length, night.errors.length === 1 ? 'error' : 'errors'],
    [
      night.unavailable.length,
      night.unavailable.length === 1 ? 'kernel not to be had' : 'kernels not to be had',
    ],
  ];
  return [
    `${newFindings(night)} new`,
    `${distinct(known)} known`,
    ...optional.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
    ...(night.oldLists === undefined ? [] : ['OLD PACKAGE LISTS']),
    night.cases === 0
      ? 'RAN NOTHING'
      : `${formatCount(night.cases)} case${night.cases === 1 ? '' : 's'}`,
    coverageText(night),
  ].join(', ');
}

function bounded(items: readonly string[][], most = shownItems): string[] {
  const shown = items.slice(0, most).flat();
  return items.length > most ? [...shown, `  and ${items.length - most} more`] : shown;
}

/** Where a finding was seen. */
function whereText({ watch, cases, known, unsteady }: WatchedFinding): string {
  const where =
    cases.length === 0
      ? ''
      : `: ${cases[0]}${cases.length > 1 ? ` and ${cases.length - 1} more` : ''}`;
  const notes = [
    ...(known === undefined ? [] : [`known issue ${known}`]),
    ...(unsteady ? ['not in every boot'] : []),
  ];
  return plainLine(`${watch}${where}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`);
}

/** One line per finding, and one for the place where several findings were seen together. */
function list(
  findings: readonly WatchedFinding[],
  word: string,
  sgr: string,
  paint: Paint,
  most = shownItems,
): string[] {
  const together = [...Map.groupBy(findings, whereText)].flatMap(([where, those]) =>
    those.map((finding, index) => ({ finding, where, isLast: index === those.length - 1 })),
  );
  const shown = together
    .slice(0, most)
    .flatMap(({ finding, where, isLast }, index) => [
      `  ${paint(sgr, word)}  ${plainLine(finding.id)}`,
      ...(isLast || index === most - 1 ? [`      on ${fit(where, paint.width - 9)}`] : []),
    ]);
  return together.length > most
    ? [...shown, `  and ${together.length - most} more ${word}`]
    : shown;
}

/** The command that finds the commit or version of the first new finding. */
function leadLines(lead: NightSummary['lead']): string[] {
  if (!lead) return [];
  const { good, bad, finding, scenario, repeat } = lead;
  const values = { good, bad, finding, scenario, ...(repeat && { repeat: `${repeat}` }) };
  const words = Object.entries(values).map(([name, value]) => `--${name} ${shellWord(value)}`);
  return [
    '  To find out which change brought it:',
    ...shellLines(['./ptdiff bisect', ...words]).map((line) => `    ${line}`),
  ];
}

function findingLines({ judgement, lead }: NightSummary, paint: Paint): string[] {
  return [
    ...list(judgement.fresh, 'NEW', '1;31', paint, shownNew),
    ...leadLines(lead),
    ...list(judgement.unconfirmed, 'not confirmed', '1;33', paint),
    ...list(judgement.flaky, 'flaky', '33', paint),
    ...list(judgement.gone, 'gone', '32', paint),
    ...list(judgement.still, 'still there', '1', paint),
  ];
}

/** A finding that one host alone shows may be that host's. */
function loneLines({ loneHosts = [] }: NightSummary, paint: Paint): string[] {
  return bounded(
    loneHosts.map(({ id, worker, others }) => {
      const rest =
        others.length > 0
          ? `${others.join(' and ')} booted the same without it`
          : 'no other host booted its cases';
      return hang('  one host  ', plainLine(`${id}: only on ${worker}; ${rest}`), paint.width);
    }),
  );
}

function kernelLines({ watch, release, again, commit }: NewKernel, paint: Paint): string[] {
  const text = commit ? `${release}, ${commitText(commit)}` : release;
  return hang(
    again ? '  back to kernel  ' : '  new kernel  ',
    plainLine(`${text} (${watch})`),
    paint.width,
  );
}

function planLine({ plan, started, ended }: NightSummary): string {
  const parts = reasons
    .filter((reason) => plan[reason].planned > 0)
    .map((reason) => `${reason} ${plan[reason].run} of ${plan[reason].planned}`);
  const seconds = (Date.parse(ended) - Date.parse(started)) / 1000;
  return `Run tonight: ${parts.join(', ') || 'nothing was to be run'}; ${formatSeconds(seconds)}.`;
}

function coverageLines(
  { coverage: { nights, total, covered, missing }, unavailable }: NightSummary,
  paint: Paint,
): string[] {
  const first = `In the last ${nights === 1 ? 'night' : `${nights} nights`} ${formatCount(covered)} of ${formatCount(total)} cases were looked at${unavailable.length > 0 ? ', unavailable kernels left out' : ''}`;
  if (missing.length === 0) return hang('', `${first}.`, paint.width);
  const names = missing.slice(0, shownItems).map((name) => plainLine(name));
  const more =
    total - covered > names.length
      ? ` and ${formatCount(total - covered - names.length)} more`
      : '';
  return hang('', `${first}; not: ${names.join(', ')}${more}.`, paint.width);
}

/**
 * A night for a terminal or a mail: one screen, with the most important sentence in the last line.
 */
export function formatNight(night: NightSummary, options: PaintOptions): string {
  const paint = painter(options);
  const errors = night.errors.map((each) =>
    hang('  error  ', plainLine(`${each.case}: ${each.reason}`), paint.width),
  );
  const missing = night.unavailable.map((each) =>
    hang('  no kernel  ', plainLine(`${each.spec}: ${each.reason}`), paint.width),
  );
  const { oldLists } = night;
  const lines = [
    ...bounded(night.newKernels.map((each) => kernelLines(each, paint))),
    ...findingLines(night, paint),
    ...exploredFindings(night, paint),
    ...loneLines(night, paint),
    ...(oldLists === undefined ? [] : hang('  old lists  ', plainLine(oldLists), paint.width)),
    ...bounded(missing),
    ...bounded(errors),
    planLine(night),
    ...coverageLines(night, paint),
    ...exploredLines(night, paint),
    ...night.folders.map((folder) => `Report: ${folder}/report.html`),
    ...(night.interrupted ? [paint('1;33', 'Interrupted; the results so far count.')] : []),
    ...wrap(nightHeadline(night), paint.width).map((line) => paint('1', line)),
  ];
  return `${lines.join('\n')}\n`;
}
