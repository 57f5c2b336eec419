// SPDX-License-Identifier: GPL-2.0-only
import { runsIn } from '../../../src/diff/runs.ts';
import {
  explainSplits,
  gradeOf,
  type Owned,
  type SplitHistory,
} from '../../../src/diff/split-history/explain.ts';
import { countText, hex } from '../../../src/diff/text.ts';
import type { CaseResult, LinearMapSizes } from '../../../src/diff/types.ts';
import { type Evidence, liveCapture } from '../../../src/evidence/capture.ts';
import { linearMapSizes } from '../../../src/linux/leaf-kind.ts';
import { stateInOperation } from '../../../src/model/predict.ts';
import type { Question } from '../../../src/model/question.ts';
import type { Prediction } from '../../../src/model/types.ts';

/** The prediction of a board with the splits that its leaves show, and what these are. */
export interface BoardHistory extends Pick<SplitHistory, 'points' | 'splits'> {
  prediction: Prediction;
  /** Bytes by kind of leaf as the kernel made them, before it split anything. */
  atBoot: LinearMapSizes;
}

/** What uses memory that the kernel splits leaves for, as far as an archive tells. */
function ownersOf({ facts }: Question, { secretPages = [] }: Evidence): Owned[] {
  return [
    ...secretPages.map((range) => ({ ...range, what: 'memfd_secret pages' })),
    ...(facts.readOnlyVmalloc.live ?? []).map((range) => ({
      ...range,
      what: 'read-only vmalloc memory (module text, BPF programs)',
    })),
  ];
}

/**
 * What a board split before anybody looked is lost; its leaves show where. See explainSplits(): only
 * leaves that are smaller than predicted are ever explained.
 */
export function historyOf(
  question: Question,
  prediction: Prediction,
  evidence: Evidence,
): BoardHistory | undefined {
  const predicted = prediction.checkpoints.live;
  const capture = liveCapture(evidence);
  if (predicted === undefined || capture === undefined) return undefined;
  const { start, end } = prediction.linearRegion;
  const actual = runsIn(capture.ttbr1.leaves, start, end);
  const kernel = stateInOperation(question, prediction.decisions);
  const owners = ownersOf(question, evidence);
  const history = explainSplits(kernel, predicted, actual, owners);
  const { points, splits } = history;
  return {
    points,
    splits,
    atBoot: linearMapSizes(predicted.leaves),
    prediction: { ...prediction, checkpoints: { live: history.prediction } },
  };
}

/** Most places that a report names; prediction.json has the leaves that they made. */
const mostPlaces = 12;

/** The grade of a linear map, for results, and the sentences that say what it rests on. */
export function gradeWords(
  history: BoardHistory | undefined,
  findings: CaseResult['findings'],
): { grade: string; notes: string[] } {
  const differs = findings.some(({ kind }) => kind === 'mismatch');
  if (history === undefined)
    return { grade: 'not predicted', notes: ['Nothing is predicted of its linear map.'] };
  const { points, splits } = history;
  const grade = gradeOf(history, differs);
  if (grade !== 'explained' && splits === 0)
    return { grade, notes: [`Grade of the linear map: ${grade}.`] };
  const places = points
    .slice(0, mostPlaces)
    .map(
      ({ va, count, kind, owner }) =>
        `${hex(va)}${count > 1 ? ` and ${count - 1} more behind it` : ''} (${kind}${owner === undefined ? '' : `, for ${owner}`})`,
    );
  const more = points.length > mostPlaces ? `; and ${points.length - mostPlaces} more places` : '';
  const words = grade === 'explained' ? 'explained' : `${grade}; partly explained`;
  return {
    grade,
    notes: [
      `Grade of the linear map: ${words} by ${countText(splits, 'split')} that the kernel must have made while it ran: ${places.join('; ')}${more}.`,
    ],
  };
}
