// SPDX-License-Identifier: GPL-2.0-only
import { narrowLine } from '../../src/bisect/line.ts';
import { nextStep, type Step } from '../../src/bisect/search.ts';
import type { Conclusion, Outcome, Task, Trial } from '../../src/bisect/types.ts';

/** A made-up line of kernels, and how its boots turn out. */
export interface Line {
  length: number;
  /** Index of the first candidate on the new side. */
  first: number;
  signSide: Task['signSide'];
  repeat: number;
  /**
   * Outcome of the boot with that number (0, 1, …) of the candidate; undefined where the truth
   * shows.
   */
  oddity?(index: number, boot: number): Outcome | undefined;
}

export const nameOf = (index: number): string => `v${index}`;
export const indexOf = (name: string): number => Number(name.slice(1));

/** Whether a kernel of the line has the sign. */
export function hasSign({ first, signSide }: Line, index: number): boolean {
  return index >= first === (signSide === 'new');
}

function taskOf({ length, signSide, repeat }: Line): Task {
  return { old: nameOf(0), new: nameOf(length - 1), signSide, repeat };
}

/**
 * The trials of a whole bisection and its conclusion; `stopAfter` boots it is begun anew from its
 * trials, as after a kill.
 */
export async function simulate(
  line: Line,
  earlier: readonly Trial[] = [],
  stopAfter = Number.POSITIVE_INFINITY,
): Promise<{ trials: Trial[]; conclusion?: Conclusion }> {
  const task = taskOf(line);
  const candidates = Array.from({ length: line.length }, (_, index) => nameOf(index));
  const trials = [...earlier];
  for (let boots = 0; boots < stopAfter; boots++) {
    if (boots > 2000) throw new Error('the search does not end');
    const step: Step = await nextStep(task, trials, async (answers) =>
      narrowLine(candidates, task, answers),
    );
    if (step.kind !== 'boot') return { trials, conclusion: step };
    const index = indexOf(step.candidate);
    const boot = trials.filter(({ candidate }) => candidate === step.candidate).length;
    const outcome = line.oddity?.(index, boot) ?? (hasSign(line, index) ? 'present' : 'absent');
    trials.push({ candidate: step.candidate, stage: step.stage, outcome });
  }
  return { trials };
}
