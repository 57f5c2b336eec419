// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { diffLeaves } from '../../../src/diff/compare.ts';
import { compareTables } from '../../../src/diff/compare-state.ts';
import { entriesOf } from '../../../src/diff/runs.ts';
import {
  gradeOf,
  type SplitHistory,
  singlePoints,
} from '../../../src/diff/split-history/explain.ts';
import { PTE_CONT, PTE_NG, PTE_RDONLY } from '../../../src/linux/pgprot.ts';
import type { LeafRun } from '../../../src/vmsa/types.ts';
import { given } from '../../given.ts';
import { SplitBoard } from './board.ts';

/** Recorded boots of kernels and CPUs that split, with every page size and depth of tables. */
const boards = [
  '6.18.15+deb13-arm64@neoverse-v3-r0p2+holes',
  '7.1.13+deb13-arm64@neoverse-v3-r0p2+off+kfence100',
  '7.2.13+deb14-arm64@neoverse-v3-r0p2',
  '7.2.13+deb14-arm64-16k@neoverse-v3-r0p2+odd-holes',
  '7.3.4+deb13-arm64@neoverse-v3-r0p2+8g',
  '7.3.4+deb13-arm64-16k@neoverse-v3-r0p2+8g',
  '7.3.4-16k-va36-debug_pagealloc-crash-virtio@neoverse-v3-r0p2+64g',
  '7.3.4-4k39@neoverse-v3-r0p2+kpti',
  '7.3.4-64k42@neoverse-v3-r0p2',
  '7.3.4-64k-va48-debug_pagealloc-crash-virtio@neoverse-v3-r0p2+8g',
].map((name) => ({ name, board: new SplitBoard(name) }));

const splitting = boards.filter(({ board }) => board.kernel.decisions.linearMapRequiresBbml);

/**
 * Ranges that somebody may have asked to split: a place among the leaves, an alignment, and a
 * length in pages.
 */
const asked = fc.array(
  fc.record({
    run: fc.nat(),
    page: fc.nat(),
    aligned: fc.constantFrom(1, 16, 32, 512, 2048, 8192),
    pages: fc.constantFrom(1, 1, 1, 3, 16, 512, 5000),
  }),
  { minLength: 1, maxLength: 12 },
);

interface Place {
  run: number;
  page: number;
  aligned: number;
  pages: number;
}

function rangesOf(board: SplitBoard, asked: readonly Place[]): { start: bigint; end: bigint }[] {
  const { leaves } = board.predicted;
  return asked.map(({ run, page, aligned, pages }) => {
    const { va, size } = given(leaves[run % leaves.length]);
    const unit = aligned * board.granule;
    const at = va + BigInt((page % (size / board.granule)) * board.granule);
    const start = aligned === 1 ? at : at - (at % BigInt(unit));
    return { start, end: start + BigInt(pages * board.granule) };
  });
}

const pieces = (leaves: readonly LeafRun[]): LeafRun[] =>
  leaves.map(({ va, pa, size, level, contiguous, valid, attributes, tableAttributes }) => ({
    ...{ va, pa, size, level, contiguous, valid, attributes, tableAttributes },
  }));

/** The places at which the kernel's split of a range begins: one for a page, two otherwise. */
const places = (ranges: { start: bigint; end: bigint }[], granule: number): number =>
  ranges.reduce((sum, { start, end }) => sum + (end - start === BigInt(granule) ? 1 : 2), 0);

function isExact({ prediction }: SplitHistory, actual: LeafRun[]): boolean {
  return diffLeaves(prediction.leaves, actual).length === 0;
}

t.ok(splitting.length >= 8, 'machines that split');

for (const { name, board } of splitting) {
  t.test(`${name}: what the kernel splits is explained, by as few points`, async (t) => {
    let most = 0;
    fc.assert(
      fc.property(asked, (requests) => {
        const ranges = rangesOf(board, requests);
        const real = board.after(ranges);
        const actual = pieces(real.leaves);
        const history = board.explain(actual);
        if (!isExact(history, actual)) throw new Error('leaves are not explained');
        const tables = compareTables(
          history.prediction.tables,
          real.tables.map((table) => ({ ...table, pa: 0 })),
          board.region,
          board.kernel.traits.geometry.granule,
          'init',
        );
        if (tables.length > 0) throw new Error(`tables: ${tables[0]?.detail}`);
        if (history.splits > places(ranges, board.granule))
          throw new Error(`${history.splits} points for ${ranges.length} requests`);
        most = Math.max(most, history.splits);
      }),
      { numRuns: 25, seed: 15 },
    );
    t.ok(most > 0, `up to ${most} points`);
  });
}

t.test('the points give the same map when the kernel is asked for them', async (t) => {
  for (const { name, board } of splitting) {
    const place = { run: 0, page: 12345, aligned: 1, pages: 5000 };
    const real = board.after(rangesOf(board, [place, { ...place, run: 3, pages: 1 }]));
    const history = board.explain(pieces(real.leaves));
    const { start: base } = board.region;
    const size = BigInt(board.kernel.traits.geometry.PUD_SIZE);
    // A range from the border of a PUD on is split at its end alone.
    const ranges = [...singlePoints(history.points)].map((va) => ({
      start: base + ((va - base) / size) * size,
      end: va,
    }));
    t.equal(ranges.length, history.splits);
    t.same(diffLeaves(board.after(ranges).leaves, pieces(real.leaves)), [], name);
  }
});

/** Damages one entry of a list of runs, and returns the new list. */
function damaged(
  leaves: readonly LeafRun[],
  at: { index: number; entry: number },
  size: (run: LeafRun) => number,
  change: (leaf: LeafRun) => LeafRun[],
): LeafRun[] {
  return leaves.flatMap((run, index) => {
    if (index !== at.index) return [run];
    const unit = size(run);
    const before = (at.entry % (run.size / unit)) * unit;
    const part = (from: number, to: number): LeafRun => ({
      ...run,
      va: run.va + BigInt(from),
      pa: run.pa + from,
      size: to - from,
    });
    const around = [part(0, before), part(before + unit, run.size)];
    return [
      ...around.slice(0, 1),
      ...change(part(before, before + unit)),
      ...around.slice(1),
    ].filter((leaf) => leaf.size > 0);
  });
}

const damages: Record<string, (leaf: LeafRun) => LeafRun[]> = {
  'a writable bit that flipped': (leaf) => [{ ...leaf, attributes: leaf.attributes ^ PTE_RDONLY }],
  'another nG': (leaf) => [{ ...leaf, attributes: leaf.attributes ^ PTE_NG }],
  'another memory type': (leaf) => [{ ...leaf, attributes: leaf.attributes ^ (1n << 2n) }],
  'a wrong address': (leaf) => [{ ...leaf, pa: leaf.pa + 2 ** 40 }],
  'a missing leaf': () => [],
  'one leaf of a group without its contiguous bit': (leaf) => [
    { ...leaf, contiguous: !leaf.contiguous, attributes: leaf.attributes ^ PTE_CONT },
  ],
};

for (const [what, change] of Object.entries(damages)) {
  t.test(`${what} is never explained`, async (t) => {
    for (const { name, board } of splitting) {
      fc.assert(
        fc.property(asked, fc.nat(), fc.nat(), (requests, run, entry) => {
          const leaves = pieces(board.after(rangesOf(board, requests)).leaves);
          const index = run % leaves.length;
          const unit = (leaf: LeafRun): number =>
            leaf.size / entriesOf(leaf, board.kernel.traits.geometry.granule);
          const actual = damaged(leaves, { index, entry }, unit, change);
          const history = board.explain(actual);
          if (isExact(history, actual)) throw new Error(`explained by ${history.splits}`);
        }),
        { numRuns: 8, seed: 15 },
      );
      t.pass(name);
    }
  });
}

t.test('a machine that cannot split is not explained by splits', async (t) => {
  const board = new SplitBoard('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g');
  const actual = pieces(
    board.after(rangesOf(board, [{ run: 0, page: 7, aligned: 1, pages: 1 }])).leaves,
  );
  t.equal(board.explain(actual).splits, 1);
  for (const name of [
    '7.2.13+deb14-arm64@max+off+kfence100',
    '6.12.107+deb13-arm64@cortex-a76',
    '7.3.4+deb13-arm64@max+kfence100',
  ]) {
    const { kernel } = new SplitBoard(name);
    Object.defineProperty(board, 'kernel', { value: kernel });
    const history = board.explain(actual);
    t.equal(history.splits, 0, name);
    t.equal(history.prediction, board.predicted, `${name}: the prediction stays`);
  }
});

t.test('who uses the memory of a split is named, where it is known', async (t) => {
  const board = new SplitBoard('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g');
  const { va } = given(board.predicted.leaves.find(({ level }) => level === 1));
  const pages = [5, 21, 37, 53].map((page) => va + BigInt(page * board.granule));
  const ranges = pages.map((start) => ({ start, end: start + BigInt(board.granule) }));
  const actual = pieces(board.after(ranges).leaves);
  const [together] = board.explain(actual).points;
  t.match(together, { count: 4, kind: 'contPte', step: 65536, structure: va }, 'one line for all');
  const second = given(together).pa + given(together).step;
  const { points, splits } = board.explain(actual, [
    { start: second + 4096, end: second + 8192, what: 'memfd_secret page' },
    { start: second, end: second + 8192, what: 'module text alias' },
  ]);
  t.equal(splits, 4, 'as many as without');
  t.same(
    points.map(({ owner, pa, count }) => [owner, pa, count]),
    [
      [undefined, second - 65536, 1],
      ['module text alias', second, 1],
      [undefined, second + 65536, 2],
    ],
    'the owner of the lowest address, for its structure alone',
  );
});

t.test('a terabyte in pages is one run, and its splits are one line', async (t) => {
  const board = new SplitBoard('7.3.4+deb13-arm64@neoverse-v3-r0p2+8g');
  const block = given(board.predicted.leaves.find(({ level }) => level === 1));
  const TiB = 2 ** 40;
  const run = { ...block, va: block.va + 2n ** 41n, pa: 2 ** 41, size: TiB };
  Object.defineProperty(board, 'predicted', {
    value: { ...board.predicted, leaves: [run], tables: [] },
  });
  const page = { ...run, level: 3 as const, attributes: run.attributes | 2n };
  const history = board.explain(pieces([page]));
  t.same(diffLeaves(history.prediction.leaves, [page]), []);
  t.equal(history.splits, TiB / 65536, 'one in each group');
  t.equal(history.points.length, 1, 'in one line');
  t.equal(history.prediction.tables.length, 1024 + TiB / 2 ** 21, 'with the tables that it took');
});

t.test('three grades', async (t) => {
  t.equal(gradeOf({ splits: 0 }, false), 'exact');
  t.equal(gradeOf({ splits: 3 }, false), 'explained');
  t.equal(gradeOf({ splits: 3 }, true), 'mismatch');
});
