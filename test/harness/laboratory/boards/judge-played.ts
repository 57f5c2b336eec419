// SPDX-License-Identifier: GPL-2.0-only
/** What judge says of a played board, held against what the harness says that looked from outside. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { kernelOf } from '../../../../harness/laboratory/boards/board-kernel.ts';
import { judgeBoard } from '../../../../harness/laboratory/boards/judge-board.ts';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { wholeBoard } from '../../../../harness/laboratory/boards/whole-board.ts';
import { judgeCase } from '../../../../harness/laboratory/judge-case.ts';
import { knownIssuesFolder } from '../../../../harness/laboratory/laboratory.ts';
import { loadKnownIssues } from '../../../../results/known-issues.ts';
import type { CaseResult, LinearMapSizes } from '../../../../src/diff/types.ts';
import { given } from '../../../given.ts';
import type { PlayedBoard } from '../../../guest/play-board.ts';

export const known = await loadKnownIssues(knownIssuesFolder);

/** Findings of one checkpoint, without its name. */
export const findingsAt = ({ findings }: Pick<CaseResult, 'findings'>, checkpoint: string) =>
  findings
    .map(({ id }) => id)
    .filter((id) => id.endsWith(`@${checkpoint}`))
    .map((id) => id.slice(0, -checkpoint.length - 1))
    .sort();

/** A page of KFENCE's becomes valid or invalid at any time. */
export const steady = ({ page, invalid, ...blocks }: LinearMapSizes) => ({
  ...blocks,
  pages: page + invalid,
});

/** What judge says of a played board; its files are left in the folder. */
export async function judged(directory: string, played: PlayedBoard): Promise<CaseResult> {
  const path = join(directory, 'board.tar.gz');
  writeFileSync(path, played.archive);
  const board = wholeBoard(await readArchive(path), path);
  const found = await kernelOf(board, board.vmcoreinfo, played.kernel.image.spec, {});
  if (!('kernel' in found)) throw new Error(found.lacks);
  // Its Image may be one that was changed.
  const { kernel } = played;
  return judgeBoard(board, kernel, { name: 'board+played', directory }, known).result;
}

/** Holds what judge says to what the harness says that looked from outside at the same moment. */
export async function compare(
  t: Test,
  played: PlayedBoard,
  directory: string,
): Promise<CaseResult> {
  const { kernel, scenario, evidence } = played;
  const outside = judgeCase(kernel, scenario, evidence, known).judgement;
  const inside = await judged(directory, played);
  t.same(findingsAt(inside, 'live'), findingsAt(outside, 'init'), 'findings');
  t.same(steady(given(inside.linearMap.live)), steady(given(outside.linearMap.init)), 'leaves');
  return inside;
}
