// SPDX-License-Identifier: GPL-2.0-only
import { bootsNeeded, type Rate } from './confidence.ts';
import type { Answer, Answers, Tally, Task, Trial } from './types.ts';

/**
 * Accepted risk that a kernel declared free of the sign has it after all, where a reasonable number
 * of boots can reach that.
 */
export const acceptedRisk = 0.05;

/**
 * At most this many boots: a sign too rare to reach the accepted risk keeps the confidence that
 * they give.
 */
export const mostBoots = 40;

/** Boots of kernels with a flaky sign before its rate is trusted. */
export const bootsForRate = 10;

export function tallyOf(trials: readonly Trial[], candidate: string): Tally {
  const tally: Tally = { present: 0, absent: 0, unusable: 0, unavailable: false };
  for (const trial of trials) {
    if (trial.candidate !== candidate) continue;
    if (trial.outcome === 'unavailable') tally.unavailable = true;
    else tally[trial.outcome]++;
    if (trial.reason !== undefined) tally.reason = trial.reason;
  }
  return tally;
}

/** Candidates in the order of their first trial, with the counts of their trials. */
function tallies(trials: readonly Trial[]): Map<string, Tally> {
  return new Map(trials.map(({ candidate }) => [candidate, tallyOf(trials, candidate)]));
}

/** Whether only some boots of a kernel showed the sign. */
export function isMixed({ present, absent }: Tally): boolean {
  return present > 0 && absent > 0;
}

/**
 * The rate over all kernels that showed the sign at least once, and whether only some boots of one
 * of them showed it.
 */
export function signRate(trials: readonly Trial[]): Rate & { flaky: boolean } {
  const showing = [...tallies(trials).values()].filter(({ present }) => present > 0);
  return {
    shown: showing.reduce((sum, { present }) => sum + present, 0),
    boots: showing.reduce((sum, { present, absent }) => sum + present + absent, 0),
    flaky: showing.some(isMixed),
  };
}

/** Number of boots without the sign after which a candidate counts as free of it. */
export function neededBoots(trials: readonly Trial[], { repeat }: Pick<Task, 'repeat'>): number {
  const rate = signRate(trials);
  return rate.flaky ? Math.max(repeat, bootsNeeded(rate, acceptedRisk, mostBoots)) : repeat;
}

/**
 * The answer of a tally when `needed` boots without the sign are enough; undefined while there is
 * none yet.
 */
export function answerOf(tally: Tally, needed: number): Answer | undefined {
  if (tally.present > 0) return 'present';
  if (tally.unavailable) return 'skip';
  if (tally.absent >= needed) return 'absent';
  // A boot that tells nothing is repeated as often as one that tells something; then the candidate
  // is given up.
  if (tally.unusable < needed) return undefined;
  return tally.absent > 0 && tally.unusable < 2 * needed ? undefined : 'skip';
}

/**
 * Every settled answer. An answer that later trials overturned takes its place in the order where
 * it was overturned.
 */
export function answersOf(trials: readonly Trial[], task: Pick<Task, 'repeat'>): Answers {
  const needed = neededBoots(trials, task);
  const answers = new Map<string, Answer>();
  for (const [candidate, tally] of tallies(trials)) {
    const answer = answerOf(tally, needed);
    if (answer !== undefined) answers.set(candidate, answer);
  }
  const turned = (candidate: string): number =>
    trials.findIndex((trial) => trial.candidate === candidate && trial.outcome === 'present');
  const order = [...answers].sort(([left], [right]) => turned(left) - turned(right));
  return new Map(order);
}
