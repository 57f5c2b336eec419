// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';
import type { CheckpointName, Evidence } from '../evidence/capture.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import type { Decisions, DerivationStep, PredictedRun, Prediction } from '../model/types.ts';

/**
 * The part of a prediction that a comparison reads. It is incomplete if an older version of ptdiff
 * wrote it.
 */
interface ComparedPrediction {
  derivation: DerivationStep[];
  decisions: Partial<Record<keyof Decisions, boolean>> | undefined;
  linearRegion: Prediction['linearRegion'];
  checkpoints: Partial<Record<CheckpointName, { leaves: PredictedRun[] }>>;
}

/**
 * One case as one side of a pair. A boot that died has little evidence; one that never began has
 * none.
 */
export interface ComparedCase {
  result: CaseResult;
  prediction?: ComparedPrediction;
  evidence?: Evidence;
}

/** Two sides of the same thing. */
export interface Sides<T> {
  a: T;
  b: T;
}

/** What a difference is about, the most important first: the order of the reports. */
export const aspects = [
  'boot',
  'layout',
  'shared',
  'register',
  'finding',
  'probe',
  'variable',
  'decision',
  'model',
] as const;
type Aspect = (typeof aspects)[number];

/** The linear map of both sides at one checkpoint, in bytes by kind of leaf, with its tables. */
export interface Composition
  extends Sides<Record<LeafKind | 'invalid', number> & { tables: number }> {
  checkpoint: CheckpointName;
}

/** One thing that differs between two cases. */
export interface Difference {
  /**
   * The same for the same change in every scenario, at every checkpoint and on every day: never an
   * address, a count or a size. Reports fold by it.
   */
  key: string;
  aspect: Aspect;
  /** What differs, e.g. 'memory', 'linear_map_requires', 'TCR_EL1.DS'. */
  subject: string;
  /** Both sides in words. */
  a: string;
  b: string;
  /** In order of time; empty for a difference of the whole boot. */
  checkpoints: CheckpointName[];
}

/** How much of a pair was compared, so that "no change" has a known weight. */
export interface Compared {
  checkpoints: number;
  /** Leaf entries of the linear map, both sides together. */
  leaves: number;
  /** Captured variables and derived decisions. */
  decisions: number;
  registers: number;
  probes: number;
}

/** The outcome for one scenario. */
export interface PairComparison {
  /** Name of the pair: the scenario, with the kernels where several are compared. */
  name: string;
  scenario: string;
  cases: Sides<string>;
  /** Whether the boot completed: one that died says nothing about what would have come later. */
  completed: Sides<boolean>;
  differences: Difference[];
  /**
   * Memory with another address or size, mapped by the same rules: not a difference. One clause
   * each.
   */
  moved: string[];
  /** At every checkpoint that both sides reached. */
  compositions: Composition[];
  /** How the model reached its prediction. */
  derivation: Sides<DerivationStep[]>;
  compared: Compared;
}

/** Differences that the same scenarios show. */
export interface DifferenceGroup {
  /** Names of pairs. */
  names: string[];
  differences: Difference[];
  /** The first of them; numbers in a report come from this one. */
  example: PairComparison;
}
