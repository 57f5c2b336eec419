// SPDX-License-Identifier: GPL-2.0-only
/**
 * Boards with debug_pagealloc, which no kernel of Debian's has. They were played by a kernel that
 * takes long to build; to record them again:
 *
 *   npm run record:board -- source:7.3,config=debug_pagealloc,config=board max+pagealloc 7.3-pagealloc
 *   npm run record:board -- source:7.3,config=debug_pagealloc,config=board max+pagealloc+kpti \
 *     7.3-pagealloc+kpti
 *   npm run record:board -- source:7.3,config=debug_pagealloc,config=FILE max+pagealloc 7.3-no-types
 *
 * where FILE holds CONFIG_PROC_KCORE=y alone.
 */

import { join } from 'node:path';
import t from 'tap';
import { judgeBoard } from '../../../../harness/laboratory/boards/judge-board.ts';
import { judgeBoards } from '../../../../harness/laboratory/boards/judge-boards.ts';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { type WholeBoard, wholeBoard } from '../../../../harness/laboratory/boards/whole-board.ts';
import type { CaseResult } from '../../../../src/diff/types.ts';
import type { DescriptorRun } from '../../../../src/vmsa/walk-runs.ts';
import { given } from '../../../given.ts';
import { recordedKernel } from './recorded-kernel.ts';

const kernel = recordedKernel('7.3.4-debug_pagealloc-board');
const fixtures = join(import.meta.dirname, '../../../evidence/fixtures');

async function recordedBoard(name: string): Promise<WholeBoard> {
  const path = join(fixtures, `board-${name}.tar.gz`);
  return wholeBoard(await readArchive(path), path);
}

const judged = (directory: string, board: WholeBoard): CaseResult =>
  judgeBoard(board, kernel, { name: 'board+test', directory }, []).result;

const [valid, invalid, nonGlobal] = [1n, 1n << 11n, 1n << 11n];
const linearEnd = 0xffff_8000_0000_0000n;

/** The board with all pages of one run of the linear map changed. */
function withRun(
  board: WholeBoard,
  which: (run: DescriptorRun) => boolean,
  change: (descriptor: bigint) => bigint,
): WholeBoard {
  const at = board.descriptors.findIndex((run) => run.va < linearEnd && which(run));
  const run = given(board.descriptors[at]);
  const changed = { ...run, descriptor: change(run.descriptor) };
  return { ...board, descriptors: board.descriptors.with(at, changed) };
}

for (const [name, hasKpti] of [
  ['7.3-pagealloc', false],
  ['7.3-pagealloc+kpti', true],
] as const)
  t.test(`${name} is exact, whatever was free`, async (t) => {
    const board = await recordedBoard(name);
    t.equal(board.variables._debug_pagealloc_enabled_early, 1n);
    t.equal(board.variables.arm64_use_ng_mappings, hasKpti ? 1n : 0n);
    t.equal(board.collected.settled, true);
    const { verdict, symbols, linearMap, findings, notes } = judged(t.testdir(), board);
    t.match({ verdict, symbols, findings }, { verdict: 'pass', findings: [] });
    t.match(symbols, { grade: 'exact', splits: '0' });
    const { page, invalid: free, ...blocks } = given(linearMap.live);
    t.match(blocks, { contPte: 0, pmd: 0, contPmd: 0, pud: 0 });
    t.ok(page + free === 2 ** 30 && free > 0.9 * 2 ** 30, `${page} bytes are in use`);
    const [, pages = 0] = /: (\d+) pages of the linear map are not valid/.exec(`${notes}`) ?? [];
    // Others are not valid for reasons of their own: data of the image.
    t.ok(Number(pages) > 0.99 * (free / 4096) && Number(pages) <= free / 4096, `${pages} pages`);
    const isPage = ({ level, descriptor }: DescriptorRun) =>
      level === 3 && (descriptor & valid) === valid;
    const isFree = ({ level, descriptor }: DescriptorRun) =>
      level === 3 && (descriptor & (valid | invalid)) === invalid;
    const planted: [string, WholeBoard][] = [
      ['nG', withRun(board, isPage, (entry) => entry ^ nonGlobal)],
      ['a free page that is empty', withRun(board, isFree, () => 0n)],
      [
        'a free page that is no longer present',
        withRun(board, isFree, (entry) => entry & ~invalid),
      ],
    ];
    for (const [what, broken] of planted)
      t.match(
        judged(t.testdir(), broken),
        { verdict: 'fail', symbols: { grade: 'mismatch' } },
        what,
      );
  });

t.test('of a kernel without its own types, what is not known is said', async (t) => {
  const path = join(fixtures, 'board-7.3-no-types.tar.gz');
  const board = wholeBoard(await readArchive(path), path);
  const request = { files: [path], labels: [], out: join(t.testdir(), 'run') };
  const { cases } = await judgeBoards(request, new AbortController().signal);
  const { verdict, findings, symbols, linearMap, notes } = given(cases[0]);
  t.match({ verdict, findings }, { verdict: 'pass', findings: [] });
  t.equal(symbols.grade, 'not predicted');
  const { page, invalid: free } = given(linearMap.live);
  t.equal(page + free, 2 ** 30);
  t.match(notes?.[0], /^The ID registers of its CPUs are not known\. Nothing is predicted/);
  t.ok(board.collected.lost.length >= 3);
  for (const sentence of board.collected.lost)
    t.ok(notes?.includes(`Not collected: ${sentence}`), sentence);
});
