// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { ExplorationSummary, ExploredDifference } from '../nightly/explored.ts';
import { type PaintOptions, painter } from './colour.ts';
import { shellLines, shellWord } from './export/mail-layout.ts';
import { hang, plainLine } from './plain-text.ts';
import { formatCount } from './units.ts';
import { countVerdicts } from './verdicts.ts';

const shownErrors = 5;

/** Where a difference was seen, and the command that shows it again. */
export function differenceLines(
  { kernel, machine, again, file }: ExploredDifference,
  width: number,
): string[] {
  const how = again === false ? ', and not in a second boot' : '';
  const where = hang('      ', `on ${kernel}, ${machine}${how}`, width);
  const words = ['./ptdiff run', `--kernel ${shellWord(kernel)}`];
  const command = file === undefined ? [] : [...words, `--scenario ${shellWord(file)}`];
  return [
    ...where,
    ...(command.length > 0 ? shellLines(command).map((line) => `    ${line}`) : []),
  ];
}

/** The end of an exploration, most important first. */
export function formatExploration(summary: ExplorationSummary, options: PaintOptions): string {
  const paint = painter(options);
  const { cases, differences, kernels, seed, seen, pairs, folder } = summary;
  const counts = Object.entries(countVerdicts(cases)).filter(([, count]) => count > 0);
  const errors = cases.filter(({ verdict }) => verdict === 'error');
  const lines = [
    ...hang(
      '',
      `${countText(differences.length, 'finding')} that no known issue explains, in ${countText(cases.length, 'machine')} on ${countText(kernels.length, 'kernel')}: ${counts.map(([verdict, count]) => `${formatCount(count)} ${verdict}`).join(', ') || 'none was booted'}.`,
      paint.width,
    ),
    ...[...Map.groupBy(differences, ({ file, machine }) => file ?? machine).values()].flatMap(
      (together) => [
        ...together.map(({ finding }) => `  ${paint('1;31', 'NEW')}  ${plainLine(finding)}`),
        ...together.slice(0, 1).flatMap((first) => differenceLines(first, paint.width)),
      ],
    ),
    ...errors
      .slice(0, shownErrors)
      .flatMap((each) =>
        hang(
          `  ${paint('1;33', 'error')}  `,
          plainLine(`${each.case}: ${each.reason}`),
          paint.width,
        ),
      ),
    ...(errors.length > shownErrors ? [`  and ${errors.length - shownErrors} more errors`] : []),
    ...hang(
      '',
      `Seen together: ${formatCount(pairs)} pairs of choices, ${(100 * seen).toFixed(1)} % of those that can be.`,
      paint.width,
    ),
    `To go on: ./ptdiff explore --machines --out ${shellWord(folder)} (seed ${seed})`,
  ];
  return `${lines.join('\n')}\n`;
}
