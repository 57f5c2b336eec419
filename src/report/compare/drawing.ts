// SPDX-License-Identifier: GPL-2.0-only
import type { Sides } from '../../compare/types.ts';
import { diffLeaves } from '../../diff/compare.ts';
import { endOf, runsIn } from '../../diff/runs.ts';
import type { PredictedRun } from '../../model/types.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import type { CaseDossier, CaseDrawing } from '../types.ts';

/** The leaves that were found, each with the model's explanation of the memory. */
function explained({ predicted, actual }: CaseDrawing): PredictedRun[] {
  const runs: PredictedRun[] = [];
  const take = (start: bigint, end: bigint, why: string): void => {
    for (const run of runsIn(actual, start, end)) runs.push({ ...run, why, alternatives: [] });
  };
  let at = actual[0]?.va ?? 0n;
  for (const run of predicted) {
    if (run.va > at) take(at, run.va, 'memory');
    take(run.va, endOf(run), run.why);
    at = endOf(run);
  }
  const last = actual.at(-1);
  if (last) take(at, endOf(last), 'memory');
  return runs;
}

/** Virtual minus physical address of a linear map, by its first leaf. */
function linearOffset({ predicted, actual }: CaseDrawing): bigint {
  const [first] = predicted.length > 0 ? predicted : actual;
  return first === undefined ? 0n : first.va - BigInt(first.pa);
}

/**
 * Both kernels' linear maps at the checkpoints that both reached, A above B, at the same physical
 * addresses: as found, not as predicted. For B, the drawing uses A's virtual addresses of the same
 * memory.
 */
export function pairDrawings({ a, b }: Sides<CaseDossier>): CaseDrawing[] {
  return a.drawings.flatMap((left): CaseDrawing[] => {
    const right = b.drawings.find(({ checkpoint }) => checkpoint === left.checkpoint);
    if (!right) return [];
    const shift = linearOffset(left) - linearOffset(right);
    const moved = (run: LeafRun): LeafRun => ({ ...run, va: run.va + shift });
    const [predicted, actual] = [explained(left), right.actual.map(moved)];
    return [
      {
        ...left,
        predicted,
        actual,
        differences: diffLeaves(predicted, actual),
        actualRegisters: right.registers,
      },
    ];
  });
}
