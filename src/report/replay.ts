// SPDX-License-Identifier: GPL-2.0-only
import {
  isReproduced,
  isSameMap,
  type MapDifference,
  type ReplayComparison,
} from '../diff/compare-replay.ts';
import { countText } from '../diff/text.ts';
import { type PaintOptions, painter } from './colour.ts';
import { hang, plainLine } from './plain-text.ts';
import { formatBytes } from './units.ts';

function mapLine(what: string, { checkpoint, stretches, bytes }: MapDifference): string {
  const amount = `${countText(stretches, 'stretch', 'stretches')} of leaves, ${formatBytes(bytes)}`;
  return `  the ${what} linear map at ${checkpoint} differs in ${amount}`;
}

/** What both boots have in common, in one line. */
function head(name: string, comparison: ReplayComparison): string {
  const { shared, verdicts } = comparison;
  if (!isReproduced(comparison)) return `${name}: differs in its findings`;
  const findings =
    shared.length === 0
      ? 'no finding, as recorded'
      : `the same ${countText(shared.length, 'finding')}`;
  return `${name}: reproduced, ${findings}; verdict ${verdicts.replayed}`;
}

/** A replay compared with the recording, for a terminal. Ends with a newline. */
export function formatReplay(
  name: string,
  comparison: ReplayComparison,
  options: PaintOptions,
): string {
  const paint = painter(options);
  const { shared, gone, fresh, verdicts, decisions, predicted, found, unmatched } = comparison;
  const list = (words: string, ids: readonly string[]) =>
    ids.flatMap((id) => hang(`  ${words} `.padEnd(13), plainLine(id), paint.width));
  const verdict =
    verdicts.recorded === verdicts.replayed
      ? []
      : [`  verdict ${verdicts.replayed}, recorded ${verdicts.recorded}`];
  const lines = [
    ...hang('', plainLine(head(name, comparison)), paint.width),
    ...list('only now', fresh),
    ...list('only then', gone),
    ...list('both', shared),
    ...verdict,
    ...unmatched.map((checkpoint) => `  only one of the boots reached ${checkpoint}`),
    ...(decisions.length === 0
      ? []
      : hang('  decisions differ: ', decisions.join(', '), paint.width)),
    ...predicted.map((difference) => mapLine('predicted', difference)),
    ...found.map((difference) => mapLine('found', difference)),
  ];
  if (isSameMap(comparison)) lines.push('  prediction and linear map are the same, leaf by leaf');
  return `${lines.join('\n')}\n`;
}
