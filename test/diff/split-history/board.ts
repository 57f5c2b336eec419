// SPDX-License-Identifier: GPL-2.0-only
import {
  explainSplits,
  type Owned,
  type SplitHistory,
} from '../../../src/diff/split-history/explain.ts';
import type { BootFacts } from '../../../src/evidence/boot-facts.ts';
import { predict, stateInOperation } from '../../../src/model/predict.ts';
import type { CheckpointPrediction } from '../../../src/model/types.ts';
import type { LeafRun } from '../../../src/vmsa/types.ts';
import { given } from '../../given.ts';
import { questionOfGolden, sharedGolden } from '../../model/golden.ts';

type SplitRequest = BootFacts['splitRequests'][number];

/** A machine of a recorded boot, of which nobody knows what was split while it ran. */
export class SplitBoard {
  readonly #question;
  readonly kernel;
  readonly predicted: CheckpointPrediction;
  /** The linear region. */
  readonly region: { start: bigint; end: bigint };
  readonly granule: number;

  constructor(name: string) {
    this.#question = questionOfGolden(sharedGolden(`${name}.json.gz`));
    const { checkpoints, decisions, linearRegion } = predict(this.#question);
    this.kernel = stateInOperation(this.#question, decisions);
    this.predicted = given(checkpoints.init);
    this.region = linearRegion;
    this.granule = this.kernel.traits.geometry.granule;
  }

  /** What the model makes of the machine where its kernel splits these ranges before init runs. */
  after(ranges: readonly { start: bigint; end: bigint }[]): CheckpointPrediction {
    const asked: SplitRequest[] = ranges.map((range) => ({ ...range, before: 'init' }));
    const { facts } = this.#question;
    const splitRequests = [...facts.splitRequests, ...asked];
    return given(
      predict({ ...this.#question, facts: { ...facts, splitRequests } }).checkpoints.init,
    );
  }

  explain(actual: readonly LeafRun[], owned: readonly Owned[] = []): SplitHistory {
    return explainSplits(this.kernel, this.predicted, actual, owned);
  }
}
