// SPDX-License-Identifier: GPL-2.0-only
import {
  acceptedRisk,
  answerOf,
  answersOf,
  bootsForRate,
  mostBoots,
  neededBoots,
  signRate,
  tallyOf,
} from './answers.ts';
import { bootsNeeded, missProbability } from './confidence.ts';
import type { Answers, Conclusion, Narrowed, Stage, Tally, Task, Trial, Witness } from './types.ts';

/** Boots of the end that should have the sign, before the user is told that it does not. */
const endBoots = 3;

/** The next boot to make, or the end of the search. */
export type Step =
  | { kind: 'boot'; candidate: string; stage: Stage; suspects?: number }
  | Conclusion;

/** Asks the history what is left of the range; the answers include both ends. */
type Narrow = (answers: Answers) => Promise<Narrowed>;

/** What the candidates of one side should show. */
function expectedOf({ signSide }: Task, side: 'old' | 'new'): 'present' | 'absent' {
  return side === signSide ? 'present' : 'absent';
}

/** Boots of a candidate that gave an answer. */
const usable = ({ present, absent }: Tally): number => present + absent;

/**
 * The ends first, and the one with the sign before the other: everything that follows depends on
 * them.
 */
function checkEnds(task: Task, trials: readonly Trial[]): Step | undefined {
  const ends = task.signSide === 'old' ? (['old', 'new'] as const) : (['new', 'old'] as const);
  const needed = neededBoots(trials, task);
  for (const end of ends) {
    const candidate = task[end];
    const expected = expectedOf(task, end);
    const tally = tallyOf(trials, candidate);
    const answer = answerOf(tally, expected === 'present' ? Math.max(needed, endBoots) : needed);
    if (answer === undefined) return { kind: 'boot', candidate, stage: 'ends' };
    if (answer !== expected) return { kind: 'wrong-end', end, candidate, expected, tally };
  }
  return undefined;
}

/**
 * How a candidate must be tested again for the proof; undefined when it was tested often enough, or
 * cannot be tested.
 */
function witness(
  candidate: string,
  expected: 'present' | 'absent',
  trials: readonly Trial[],
  task: Task,
) {
  const tally = tallyOf(trials, candidate);
  const enough = bootsNeeded(signRate(trials), acceptedRisk, mostBoots);
  const wanted =
    expected === 'present' ? 2 : Math.max(task.repeat + 1, neededBoots(trials, task), enough);
  const given = tally.unavailable || tally.unusable >= wanted;
  const open = !given && usable(tally) < wanted;
  const holds =
    tally[expected] > 0 &&
    (expected === 'present' || tally.present === 0) &&
    usable(tally) >= wanted;
  return { open, witness: { candidate, expected, tally, holds } satisfies Witness };
}

/** Tests the answer and its direct predecessors once more, and says what that proves. */
function prove(found: Narrowed & { kind: 'found' }, trials: readonly Trial[], task: Task): Step {
  const sides = [
    ...found.before.map((candidate) => ({ candidate, expected: expectedOf(task, 'old') })),
    { candidate: found.candidate, expected: expectedOf(task, 'new') },
  ];
  // The side that has the sign comes first: it shows the rate, which determines the other side's
  // number of boots.
  sides.sort(
    (left, right) => Number(left.expected === 'absent') - Number(right.expected === 'absent'),
  );
  const seen = sides.map(({ candidate, expected }) => witness(candidate, expected, trials, task));
  const next = seen.find(({ open }) => open)?.witness.candidate;
  if (next !== undefined) return { kind: 'boot', candidate: next, stage: 'proof' };
  const witnesses = seen.map((each) => each.witness);
  const proven = witnesses.every(({ holds }) => holds);
  const rate = signRate(trials);
  const confidence = witnesses
    .filter(({ expected }) => expected === 'absent')
    .reduce((product, { tally }) => product * (1 - missProbability(rate, tally.absent)), 1);
  return {
    kind: 'found',
    candidate: found.candidate,
    witnesses,
    proven,
    ...(proven && { confidence }),
  };
}

/**
 * For a sign that showed in some boots only: boots a kernel that has it until its rate is known.
 */
function learnRate(trials: readonly Trial[]): Step | undefined {
  const { flaky, boots } = signRate(trials);
  if (!flaky || boots >= bootsForRate) return undefined;
  const showing = trials.filter(({ outcome }) => outcome === 'present').at(-1);
  if (showing === undefined) return undefined;
  const { unusable } = tallyOf(trials, showing.candidate);
  return unusable >= bootsForRate
    ? undefined
    : { kind: 'boot', candidate: showing.candidate, stage: showing.stage };
}

/**
 * The next step, from the trials so far and nothing else: an interrupted search continues from its
 * trials. A boot that overturns an earlier answer (a flaky sign that shows late) widens the range
 * again without further code.
 */
export async function nextStep(
  task: Task,
  trials: readonly Trial[],
  narrow: Narrow,
): Promise<Step> {
  const first = learnRate(trials) ?? checkEnds(task, trials);
  if (first !== undefined) return first;
  const narrowed = await narrow(answersOf(trials, task));
  if (narrowed.kind === 'found') return prove(narrowed, trials, task);
  if (narrowed.kind === 'unclear') return narrowed;
  return {
    kind: 'boot',
    candidate: narrowed.candidate,
    stage: 'search',
    suspects: narrowed.suspects,
  };
}
