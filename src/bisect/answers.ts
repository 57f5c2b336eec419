// SPDX-License-Identifier: GPL-2.0-only
import { bootsNeeded, type Rate } from './confidence.ts';
import type { Answer, Answers, Tally, Task, Trial } from './types.ts';

/**
 * Risk that is left when a kernel is said to be free of the sign, where boots can bring it down so
 * far.
 */
export const acceptedRisk = 0.05;

/** A sign that is rarer than these boots can tell is left at the confidence that they give. */
export const mostBoots = 40;

/** Boots of kernels with a flaky sign before its rate is believed. */
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

/** Candidates in the order of their first trial, with what their trials say. */
function tallies(trials: readonly Trial[]): Map<string, Tally> {
  return new Map(trials.map(({ candidate }) => [candidate, tallyOf(trials, candidate)]));
}

/** Whether the sign showed in some boots of a kernel only. */
export function isMixed({ present, absent }: Tally): boolean {
  return present > 0 && absent > 0;
}

/**
 * The rate over all kernels that showed the sign at least once, and whether one of them showed it
 * in some boots only.
 */
export function signRate(trials: readonly Trial[]): Rate & { flaky: boolean } {
  const showing = [...tallies(trials).values()].filter(({ present }) => present > 0);
  return {
    shown: showing.reduce((sum, { present }) => sum + present, 0),
    boots: showing.reduce((sum, { present, absent }) => sum + present + absent, 0),
    flaky: showing.some(isMixed),
  };
}

/** Boots without the sign after which a candidate counts as free of it. */
export function neededBoots(trials: readonly Trial[], { repeat }: Pick<Task, 'repeat'>): number {
  const rate = signRate(trials);
  return rate.flaky ? Math.max(repeat, bootsNeeded(rate, acceptedRisk, mostBoots)) : repeat;
}

/**
 * What a tally says when `needed` boots without the sign are enough; undefined while it says
 * nothing yet.
 */
export function answerOf(tally: Tally, needed: number): Answer | undefined {
  if (tally.present > 0) return 'present';
  if (tally.unavailable) return 'skip';
  if (tally.absent >= needed) return 'absent';
  // A boot that tells nothing is repeated as often as one that tells something, then given up.
  if (tally.unusable < needed) return undefined;
  return tally.absent > 0 && tally.unusable < 2 * needed ? undefined : 'skip';
}

/**
 * Everything that is settled. An answer that later trials overturned stands where it was
 * overturned.
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
