// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type {
  FindingLife,
  KernelLife,
  LifePoint,
  SeriesLife,
  Wavering,
} from '../history/finding-life.ts';
import type { ScenarioLife, VerdictSpan } from '../history/scenario-life.ts';
import type { FindingText, RunMark } from '../history/types.ts';
import { type Paint, type PaintOptions, painter } from './colour.ts';
import { column, hang, plainLine } from './plain-text.ts';
import { formatSeconds } from './units.ts';
import { verdictStyles } from './verdicts.ts';

const kernelWidth = 30;

/** A time as '2026-11-22 17:16'; UTC, as everywhere. */
export function formatInstant(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function pointText({ run, case: name }: LifePoint): string {
  return `${formatInstant(run.started)}  ${plainLine(name)}  (run ${run.id})`;
}

/** Why one kernel may have given two different answers. */
export const causes: Record<Wavering['because'], string> = {
  scenario: 'the scenario was changed in between',
  emulator: 'the emulator was changed in between',
  ptdiff: 'ptdiff was changed in between',
  nothing: 'nothing was changed in between: flaky',
};

function kernelLine({ kernel, state, shown, looked, lastLook }: KernelLife, paint: Paint): string {
  const word = { shown: 'shown', absent: 'absent', unknown: 'not told' }[state];
  const reach = looked === 0 ? '' : `${shown.length} of ${countText(looked, 'case')}`;
  const colour = { shown: '1;31', absent: '32', unknown: '33' }[state];
  return `    ${column(plainLine(kernel), kernelWidth)}  ${paint(colour, column(word, 8))}  ${column(reach, 16)}  last look ${formatInstant(lastLook.run.started)}`;
}

function seriesLines({ series, state, kernels, goneSince }: SeriesLife, paint: Paint): string[] {
  const since =
    goneSince === undefined
      ? ''
      : `, since ${plainLine(goneSince.kernel)} (run ${goneSince.run.id})`;
  return [
    `  ${paint('1', plainLine(series))}  ${state}${since}`,
    ...kernels.map((kernel) => kernelLine(kernel, paint)),
  ];
}

function waveringLines({ before, after, shown, because }: Wavering, paint: Paint): string[] {
  const change = shown ? 'not shown, then shown' : 'shown, then not shown';
  const times = `${formatInstant(before.run.started)} and ${formatInstant(after.run.started)}`;
  return hang(
    '    ',
    `${plainLine(after.case)}: ${change} (${times}); ${causes[because]}`,
    paint.width,
  );
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines];
}

/** A finding's history for a terminal; ends with a newline. */
export function formatFindingLife(
  life: FindingLife,
  text: FindingText,
  options: PaintOptions,
): string {
  const paint = painter(options);
  const never = life.never.map(
    ({ series, kernels, looks }) =>
      `    ${column(plainLine(series), kernelWidth)}  ${countText(kernels, 'kernel')}, ${countText(looks, 'look')}`,
  );
  const lines = [
    paint('1', plainLine(life.id)),
    ...hang('  ', plainLine(text.title), paint.width),
    ...life.known.map((known) => `  known issue ${plainLine(known)}`),
    '',
    `  first seen  ${pointText(life.firstSeen)}`,
    `  last seen   ${pointText(life.lastSeen)}`,
    '',
    ...life.series.flatMap((series) => seriesLines(series, paint)),
    ...section('  Looked at there, and never shown:', never),
    ...section(
      '  Answered in two ways by one kernel:',
      life.wavering.flatMap((each) => waveringLines(each, paint)),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function spanTime(first: RunMark, last: RunMark): string {
  const [from, to] = [formatInstant(first.started), formatInstant(last.started)];
  return from === to ? from : `${from} to ${to}`;
}

function spanLines(
  { verdict, findings, reason, first, last, looks }: VerdictSpan,
  paint: Paint,
): string[] {
  const word = paint(verdictStyles[verdict].sgr, column(verdict, 6));
  return [
    `      ${word}  ${column(countText(looks, 'look'), 9)}  ${spanTime(first, last)}`,
    ...(reason === undefined ? [] : hang('              ', plainLine(reason), paint.width)),
    ...findings.flatMap((id) => hang('              ', plainLine(id), paint.width)),
  ];
}

/** A scenario's verdicts by kernel over time for a terminal; ends with a newline. */
export function formatScenarioLife(life: ScenarioLife, options: PaintOptions): string {
  const paint = painter(options);
  const redefined = life.definitions > 1 ? `, defined in ${life.definitions} ways over time` : '';
  const lines = [
    `${paint('1', plainLine(life.name))}${redefined}`,
    ...life.series.flatMap(({ series, kernels }) => [
      `  ${paint('1', plainLine(series))}`,
      ...kernels.flatMap(({ kernel, spans, seconds }) => [
        `    ${column(plainLine(kernel), kernelWidth)}${seconds === undefined ? '' : `  usually ${formatSeconds(seconds)}`}`,
        ...spans.flatMap((span) => spanLines(span, paint)),
      ]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
