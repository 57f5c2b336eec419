// SPDX-License-Identifier: GPL-2.0-only
import { type CheckpointName, checkpointNames, type Evidence } from '../evidence/capture.ts';
import type { CheckpointPrediction, PredictedRun, Prediction } from '../model/types.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { diffLeaves } from './compare.ts';
import { endOf, runsIn } from './runs.ts';
import type { CaseResult } from './types.ts';

/** One boot of a case: its judgement, its prediction and its evidence. */
export interface JudgedBoot {
  result: CaseResult;
  /** Absent when the case ended before the prediction. */
  prediction?: Pick<Prediction, 'linearRegion'> & {
    decisions: Partial<Prediction['decisions']>;
    checkpoints: { [Name in CheckpointName]?: Pick<CheckpointPrediction, 'leaves'> };
  };
  evidence?: Pick<Evidence, 'captures'>;
}

/**
 * How the linear maps of two boots differ at one checkpoint: stretches of leaves, and their bytes.
 */
export interface MapDifference {
  checkpoint: CheckpointName;
  stretches: number;
  bytes: number;
}

/** What a second boot of a case shows in comparison with the first. */
export interface ReplayComparison {
  /** Ids of findings that both show, in the order of the first boot. */
  shared: string[];
  /** Ids of findings that only one of them shows. */
  gone: string[];
  fresh: string[];
  verdicts: { recorded: CaseResult['verdict']; replayed: CaseResult['verdict'] };
  /** Decisions that the model now derives differently. */
  decisions: string[];
  /**
   * Only checkpoints that both reached and where there is a difference; what the model leaves open
   * is not a difference.
   */
  predicted: MapDifference[];
  found: MapDifference[];
  /** Checkpoints that only one of them reached. */
  unmatched: CheckpointName[];
}

function idsOf({ result }: JudgedBoot): string[] {
  return [...new Set(result.findings.map(({ id }) => id))];
}

/**
 * Virtual addresses where several leaves are correct, as for objects of KFENCE: the leaf that is
 * there says nothing about the boot.
 */
function isFree(va: bigint, predicted: readonly PredictedRun[]): boolean {
  return predicted.some((run) => run.alternatives.length > 0 && va >= run.va && va < endOf(run));
}

/** @param predicted of the first boot at this checkpoint */
function differenceOf(
  checkpoint: CheckpointName,
  predicted: readonly PredictedRun[],
  [then, now]: [readonly LeafRun[], readonly LeafRun[]],
): MapDifference[] {
  const expected = then.map((run) => ({ ...run, why: '', alternatives: [] }));
  const runs = diffLeaves(expected, now).flatMap(
    ({ expected, actual }) => actual ?? expected ?? [],
  );
  const told = runs.filter(({ va }) => !isFree(va, predicted));
  const bytes = told.reduce((sum, { size }) => sum + size, 0);
  return told.length === 0 ? [] : [{ checkpoint, stretches: told.length, bytes }];
}

function predictedDifferences(
  { prediction: then }: JudgedBoot,
  { prediction: now }: JudgedBoot,
): MapDifference[] {
  return checkpointNames.flatMap((name) => {
    const [before, after] = [then?.checkpoints[name], now?.checkpoints[name]];
    return before && after ? differenceOf(name, [], [before.leaves, after.leaves]) : [];
  });
}

/** Leaves found in the linear region at a checkpoint. */
function foundAt(
  { evidence, prediction }: JudgedBoot,
  name: CheckpointName,
): LeafRun[] | undefined {
  const capture = evidence?.captures.find(({ checkpoint }) => checkpoint === name);
  if (!capture || !prediction) return undefined;
  return runsIn(capture.ttbr1.leaves, prediction.linearRegion.start, prediction.linearRegion.end);
}

/** Compares a boot with an earlier, recorded boot of the same case. */
export function compareReplay(recorded: JudgedBoot, replayed: JudgedBoot): ReplayComparison {
  const [then, now] = [idsOf(recorded), idsOf(replayed)];
  const decisions = Object.entries(recorded.prediction?.decisions ?? {});
  const newDecisions: Partial<Record<string, boolean>> = replayed.prediction?.decisions ?? {};
  const maps = checkpointNames.map((name) => ({
    name,
    before: foundAt(recorded, name),
    now: foundAt(replayed, name),
  }));
  return {
    shared: then.filter((id) => now.includes(id)),
    gone: then.filter((id) => !now.includes(id)),
    fresh: now.filter((id) => !then.includes(id)),
    verdicts: { recorded: recorded.result.verdict, replayed: replayed.result.verdict },
    decisions: decisions
      .filter(([name, value]) => newDecisions[name] !== value)
      .map(([name]) => name),
    predicted: predictedDifferences(recorded, replayed),
    found: maps.flatMap(({ name, before, now }) =>
      before && now
        ? differenceOf(name, recorded.prediction?.checkpoints[name]?.leaves ?? [], [before, now])
        : [],
    ),
    unmatched: maps
      .filter(({ before, now }) => (before === undefined) !== (now === undefined))
      .map(({ name }) => name),
  };
}

/** Whether both the model and the linear map are the same as before. */
export function isSameMap({ decisions, predicted, found, unmatched }: ReplayComparison): boolean {
  return [decisions, predicted, found, unmatched].every(({ length }) => length === 0);
}

/** Whether the second boot shows the same findings as the first. */
export function isReproduced({ gone, fresh }: ReplayComparison): boolean {
  return gone.length === 0 && fresh.length === 0;
}
