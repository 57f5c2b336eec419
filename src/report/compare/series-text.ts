// SPDX-License-Identifier: GPL-2.0-only
import {
  changedSince,
  type SeriesDifference,
  type SeriesEvent,
  type SeriesRow,
  seriesDifferences,
} from '../../compare/series.ts';
import { countText } from '../../diff/text.ts';
import { present } from '../../present.ts';
import { column, fit, hang, plainLine, wrap } from '../plain-text.ts';
import { shortHash } from '../units.ts';
import { mailWidth } from './text.ts';

/** A series compared with its base commit by commit. */
export interface SeriesReport {
  /** As the user named it, e.g. 'v7.3..topic'. */
  range: string;
  repository: string;
  /** The base first. */
  rows: SeriesRow[];
  scenarios: number;
}

const short = (id: string): string => id.slice(0, 12);

const rowAt = (rows: readonly SeriesRow[], index: number): SeriesRow =>
  present(rows[index], 'row of a series');

/** The result of a commit in a few words. */
function outcome({ rows, scenarios }: SeriesReport, index: number): string {
  const { kernel } = rowAt(rows, index);
  if (kernel.state === 'unavailable') return 'not tried';
  if (index === 0) return 'the base';
  if (kernel.state === 'same')
    return kernel.as === index - 1 ? 'same image' : `same image as ${kernel.as}`;
  const changed = changedSince(rows, index);
  if (!changed || changed.differences === 0) return 'no change';
  return `${countText(changed.differences, 'change')} in ${changed.names.length} of ${scenarios}`;
}

function rowLines(report: SeriesReport, index: number): string[] {
  const { id, subject, kernel } = rowAt(report.rows, index);
  const image = kernel.state === 'unavailable' ? '-' : shortHash(kernel.sha256);
  const head = `${String(index).padStart(3)}  ${short(id).padEnd(12)}  ${column(image, 12)}  ${outcome(report, index)}`;
  const reason =
    kernel.state === 'unavailable' ? hang('       ', plainLine(kernel.reason), mailWidth) : [];
  return [head, `       ${fit(plainLine(subject), mailWidth - 7)}`, ...reason];
}

/** A commit in the kernel's citation style. */
function commitText(rows: readonly SeriesRow[], index: number): string {
  const { id, subject } = rowAt(rows, index);
  return `${short(id)} ("${plainLine(subject)}")`;
}

function eventLines({ kind, at, after }: SeriesEvent, rows: readonly SeriesRow[]): string[] {
  const label = `     ${column(kind, 9)} `;
  const exact = hang(label, `with ${commitText(rows, at)}`, mailWidth);
  if (after === at - 1) return exact;
  const untried = rows.slice(after + 1, at).map(({ id }) => short(id));
  return [
    ...exact,
    ...hang(
      `     ${column('', 9)} `,
      `or with ${untried.join(', ')} before it, which could not be tried`,
      mailWidth,
    ),
  ];
}

function differenceLines(
  { difference, names, events }: SeriesDifference,
  rows: readonly SeriesRow[],
): string[] {
  const { subject, a, b, aspect, key } = difference;
  const gone = key.split('/')[1] === 'gone';
  const words: Partial<Record<typeof aspect, string>> = {
    finding: `finding ${gone ? 'gone' : 'new'}: ${subject}`,
    model: `${gone ? 'no longer departs' : 'departs'} from the model: ${subject}`,
  };
  const what = words[aspect] ?? `${subject}: ${a} → ${b}`;
  const shown =
    names.slice(0, 4).map(plainLine).join(', ') +
    (names.length > 4 ? ` and ${names.length - 4} more` : '');
  return [
    ...hang('   * ', plainLine(what), mailWidth),
    ...hang('     ', `in ${shown}`, mailWidth),
    ...events.flatMap((event) => eventLines(event, rows)),
  ];
}

/**
 * The series as a mail of 72 columns: one row per commit, then every difference from the base with
 * the commits where it appears and disappears.
 */
export function formatSeries(report: SeriesReport): string {
  const { rows, range, repository, scenarios } = report;
  const differences = seriesDifferences(rows);
  const images = new Set(
    rows.flatMap(({ kernel }) => (kernel.state === 'booted' ? [kernel.sha256] : [])),
  ).size;
  const untried = rows.filter(({ kernel }) => kernel.state === 'unavailable').length;
  const none = `No commit changes anything in ${countText(scenarios, 'scenario')}.`;
  const summary = [
    `${countText(rows.length - 1, 'commit')} on top of the base, ${countText(images, 'image')} booted in ${countText(scenarios, 'scenario')}`,
    ...(untried > 0 ? [`${untried} could not be tried`] : []),
  ];
  const lines = [
    ...wrap(
      `ptdiff compare --series ${plainLine(range)} --repo ${plainLine(repository)}`,
      mailWidth,
    ),
    ...wrap(`${summary.join('; ')}.`, mailWidth),
    '',
    '  #  commit        image         against the one before',
    ...rows.flatMap((_, index) => rowLines(report, index)),
    '',
    ...(differences.length === 0
      ? wrap(none, mailWidth)
      : [
          ...wrap('Differences from the base, and where they come and go:', mailWidth),
          '',
          ...differences.flatMap((difference) => differenceLines(difference, rows)),
        ]),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
