// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { Answers, Narrowed, Task } from './types.ts';

/**
 * Narrows a list of candidates, oldest first, whose ends are `task.old` and `task.new`: tests the
 * middle of what is left, or a neighbour where the middle could not be tested. Of n candidates, at
 * most ⌈log2(n - 1)⌉ are tested, plus the ends and those that were skipped.
 */
export function narrowLine(
  candidates: readonly string[],
  task: Pick<Task, 'signSide'>,
  answers: Answers,
): Narrowed {
  const newAnswer = task.signSide === 'new' ? 'present' : 'absent';
  const side = candidates.map((candidate) => {
    const answer = answers.get(candidate);
    if (answer === undefined || answer === 'skip') return answer;
    return answer === newAnswer ? 'new' : 'old';
  });
  const at = (index: number) => present(candidates[index], 'candidate of a bisection');
  side[0] = 'old';
  side[side.length - 1] = 'new';
  const first = side.indexOf('new');
  const last = side.lastIndexOf('old', first);
  const untested: number[] = [];
  for (let index = last + 1; index < first; index++)
    if (side[index] === undefined) untested.push(index);
  if (untested.length > 0) {
    const middle = (last + first) / 2;
    const nearest = untested.reduce((best, index) =>
      Math.abs(index - middle) < Math.abs(best - middle) ? index : best,
    );
    return { kind: 'test', candidate: at(nearest), suspects: first - last };
  }
  if (first === last + 1) return { kind: 'found', candidate: at(first), before: [at(last)] };
  return { kind: 'unclear', candidates: candidates.slice(last + 1, first + 1) };
}
