// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName } from '../evidence/capture.ts';
import { first } from '../present.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafDifference } from './compare.ts';
import { firstLines } from './compare-state.ts';
import { describeLeaf, kindName } from './describe-leaf.ts';
import { findingId, slug } from './finding-id.ts';
import { natureOf } from './nature.ts';
import { endOf, entriesOf } from './runs.ts';
import { bytesText, countText, detailOf, hex } from './text.ts';
import type { Finding } from './types.ts';

/** Replaces `why` where the model predicts nothing. */
const nothing = 'nothing predicted';

/**
 * Folds differences of the linear map into findings: one for each reason (`why` of the prediction)
 * and nature, however many leaves show it. Ascending by id, so that two runs report in the same
 * order.
 */
export function foldDifferences(
  differences: readonly LeafDifference[],
  regime: Stage1Regime,
  checkpoint: CheckpointName,
): Finding[] {
  const groups = Map.groupBy(differences, (difference) =>
    findingId(
      'mismatch',
      ['linear-map', slug(difference.expected?.why ?? nothing), natureOf(difference, regime)],
      checkpoint,
    ),
  );
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, group]) => ({ id, kind: 'mismatch', checkpoint, ...explain(group, regime) }));
}

function explain(group: LeafDifference[], regime: Stage1Regime): Pick<Finding, 'title' | 'detail'> {
  const subjects = group.flatMap((difference) => difference.actual ?? difference.expected ?? []);
  const bytes = subjects.reduce((sum, run) => sum + run.size, 0);
  const leaves = subjects.reduce((sum, run) => sum + entriesOf(run, regime.granule), 0);
  const whys = [...new Set(group.map(({ expected }) => expected?.why ?? nothing))];
  return {
    title: titleOf(group, natureOf(first(group), regime)),
    detail: detailOf([
      `${countText(leaves, 'leaf', 'leaves')}, ${bytesText(bytes)}. Prediction: ${whys.join('; ')}`,
      ...firstLines(
        group.map((difference) => evidenceOf(difference, regime)),
        4,
      ),
    ]),
  };
}

function titleOf(group: LeafDifference[], nature: string): string {
  const { expected, actual } = first(group);
  const subject = `linear map, ${expected?.why ?? nothing}`;
  if (!expected)
    return `${subject}: ${actual?.valid ? 'valid' : 'invalid'} leaves that nothing explains`;
  if (!actual) return `${subject}: predicted leaves are absent`;
  const kinds = (side: 'expected' | 'actual') =>
    [
      ...new Set(
        group.flatMap((difference) => (difference[side] ? kindName(difference[side]) : [])),
      ),
    ].join(', ');
  const words = nature
    .split('+')
    .map((word) =>
      /^(smaller|larger)-leaves$/.test(word)
        ? `${kinds('actual')} instead of ${kinds('expected')}`
        : word.replaceAll('-', ' '),
    );
  return `${subject}: ${words.join(', ')}`;
}

function evidenceOf({ expected, actual }: LeafDifference, regime: Stage1Regime): string {
  const run = actual ?? expected;
  if (!run) return '';
  const side = (leaf: typeof actual) =>
    leaf ? `PA ${hex(leaf.pa)} ${describeLeaf(regime, leaf)}` : 'no leaf';
  return [
    `  ${hex(run.va)}-${hex(endOf(run))} (${bytesText(run.size)})`,
    `    expected ${side(expected)}`,
    `    found    ${side(actual)}`,
  ].join('\n');
}
