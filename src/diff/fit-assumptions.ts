// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { Evidence } from '../evidence/capture.ts';
import { type Assumption, type Hypothesis, withChanges } from '../linux/assumptions.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { PredictedBug } from '../model/bug.ts';
import type { DerivationStep, Prediction } from '../model/types.ts';
import type { Judgement } from './judge.ts';
import { countText } from './text.ts';

/** The model's and the judge's results for a boot if the kernel has certain traits. */
export interface Attempt {
  prediction: Prediction;
  judgement: Judgement;
}

/** The traits that fit a boot best, and their results. */
export interface BestFit extends Attempt {
  traits: KernelTraits;
  /** A sentence for each assumption: what is assumed, why, and how the other answers fared. */
  notes: string[];
}

/**
 * Maximum number of predictions for one case: each costs about as much as the comparison of the
 * boot itself.
 */
const mostAttempts = 8;

/**
 * Whether an error means that the model has no answer for such a kernel, and not that the model is
 * wrong.
 */
export function isNoAnswer(error: unknown): error is Error {
  return error instanceof PredictedBug || (error instanceof PtdiffError && error.fault === 'image');
}

/**
 * A prediction and its result; or the reason why there is none, for traits that the model has no
 * answer for.
 */
type Tried = { attempt: Attempt } | { failure: Error };

/**
 * How badly a prediction fits, counted in findings. The amount of memory that differs does not
 * count: of two answers, one often protects less memory than the other, and would always look
 * better on a kernel that fails to protect it.
 */
function misfitOf(tried: Tried): number {
  return 'failure' in tried ? Number.POSITIVE_INFINITY : tried.attempt.judgement.findings.length;
}

/** Why an answer was not chosen, as the end of a sentence. */
function verdictOn(other: Tried | undefined, best: Tried): string {
  if (other === undefined) return 'was not tried';
  const [more, fewer] = [misfitOf(other), misfitOf(best)];
  if (more > fewer)
    return Number.isFinite(more)
      ? `does not fit (${countText(more, 'finding')}, not ${fewer})`
      : 'does not fit';
  return fewer === 0 ? 'fits as well' : 'fits as well, with as many findings';
}

/** The sentence about one assumption; `answers` are the rejected ones, with their results. */
function sentence(
  { chosen, why }: Assumption,
  taken: Hypothesis,
  answers: { says: string; became: string }[],
): string {
  const rule = taken === chosen ? ', the rule of its release' : '';
  const others = answers.map(({ says, became }) => `that ${says} ${became}`);
  return [`Assumed that ${taken.says}${rule}, since ${why}`, ...others].join('; ').concat('.');
}

/**
 * Tries what a kernel's Image does not show as hypotheses about its code, one assumption after the
 * other. For each it keeps the answer that fits the boot best; if two fit equally well, the
 * release's rule.
 * @param attempt predicts and judges the boot as that of a kernel with these traits
 * @throws what `attempt` throws for the release's rules, where no other answer does better
 */
export function fitAssumptions(
  {
    traits,
    assumptions,
    evidence,
  }: { traits: KernelTraits; assumptions: readonly Assumption[]; evidence: Evidence },
  attempt: (traits: KernelTraits) => Attempt,
): BestFit {
  const tried = (candidate: KernelTraits): Tried => {
    try {
      return { attempt: attempt(candidate) };
    } catch (failure) {
      if (!isNoAnswer(failure)) throw failure;
      return { failure };
    }
  };
  let attempts = 1;
  let best = { traits, tried: tried(traits) };
  const outcomes = assumptions.map((assumption) => {
    let taken = { hypothesis: assumption.chosen, tried: best.tried };
    const rejected: { hypothesis: Hypothesis; tried: Tried | undefined }[] = [];
    for (const hypothesis of assumption.alternatives) {
      // A boot without captures tells nothing.
      if (evidence.captures.length === 0 || attempts >= mostAttempts) {
        rejected.push({ hypothesis, tried: undefined });
        continue;
      }
      attempts++;
      const changed = withChanges(best.traits, hypothesis.changes);
      const answer = tried(changed);
      if (misfitOf(answer) >= misfitOf(taken.tried)) {
        rejected.push({ hypothesis, tried: answer });
        continue;
      }
      rejected.push(taken);
      taken = { hypothesis, tried: answer };
      best = { traits: changed, tried: answer };
    }
    return { assumption, taken, rejected };
  });
  if ('failure' in best.tried) throw best.tried.failure;
  const notes = outcomes.map(({ assumption, taken, rejected }) =>
    sentence(
      assumption,
      taken.hypothesis,
      rejected.map(({ hypothesis, tried: other }) => ({
        says: `${hypothesis.says}${hypothesis === assumption.chosen ? ', the rule of its release,' : ''}`,
        became: verdictOn(other, taken.tried),
      })),
    ),
  );
  const steps = outcomes.map(
    ({ assumption, taken }): DerivationStep => ({
      where: 'assumed',
      source: `not shown by the Image: ${assumption.why}`,
      outcome: taken.hypothesis.says,
    }),
  );
  const { prediction, judgement } = best.tried.attempt;
  return {
    traits: best.traits,
    prediction: { ...prediction, derivation: [...steps, ...prediction.derivation] },
    judgement,
    notes,
  };
}
