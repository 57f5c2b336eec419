// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { diffLeaves } from '../../src/diff/compare.ts';
import type { PredictedRun } from '../../src/model/types.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import { CONT, KiB, MiB, prot, run } from './synthetic.ts';

const base = 0xffff_0000_0000_0000n;

function predicted(leaf: LeafRun, alternatives: bigint[] = []): PredictedRun {
  return { ...leaf, why: 'memory', alternatives };
}

const pages = (page: number, count: number, attributes = prot.data) =>
  run(base + BigInt(page) * 4096n, 0x4000_0000 + page * 4096, count * 4096, attributes);

t.test('equal leaves, cut differently', (t) => {
  const whole = [predicted(pages(0, 10))];
  t.same(diffLeaves(whole, [pages(0, 10)]), []);
  t.same(diffLeaves(whole, [pages(0, 1), pages(1, 4), pages(5, 5)]), []);
  t.same(
    diffLeaves([predicted(pages(0, 5)), predicted(pages(5, 5))], [pages(0, 2), pages(2, 8)]),
    [],
  );
  t.same(diffLeaves([], []), []);
  t.end();
});

t.test('both directions, and every field', (t) => {
  const want = [predicted(pages(0, 4))];
  t.same(diffLeaves(want, []), [{ expected: want[0] }], 'predicted but absent');
  t.same(diffLeaves([], [pages(0, 4)]), [{ actual: pages(0, 4) }], 'present but not predicted');
  t.same(
    diffLeaves(want, [pages(1, 4)]),
    [{ expected: predicted(pages(0, 1)) }, { actual: pages(4, 1) }],
    'shifted by one page',
  );
  const changes: [string, LeafRun][] = [
    ['pa', { ...pages(0, 4), pa: 0x5000_0000 }],
    ['level', { ...pages(0, 4), level: 2 }],
    ['contiguous', { ...pages(0, 4), contiguous: true }],
    ['valid', { ...pages(0, 4), valid: false }],
    ['tableAttributes', { ...pages(0, 4), tableAttributes: 1 }],
    ...Array.from({ length: 64 }, (_, bit): [string, LeafRun] => [
      `attribute bit ${bit}`,
      { ...pages(0, 4), attributes: prot.data ^ (1n << BigInt(bit)) },
    ]),
  ];
  for (const [name, actual] of changes)
    t.same(diffLeaves(want, [actual]), [{ expected: want[0], actual }], name);
  t.end();
});

t.test('one page in the middle of many', (t) => {
  const actual = [pages(0, 3), pages(3, 1, prot.readOnly), pages(4, 6)];
  t.same(diffLeaves([predicted(pages(0, 10))], actual), [
    { expected: predicted(pages(3, 1)), actual: pages(3, 1, prot.readOnly) },
  ]);
  t.end();
});

t.test('a block in place of pages', (t) => {
  const block = run(base, 0x4000_0000, 2 * MiB, prot.data & ~2n, { level: 2 });
  t.same(diffLeaves([predicted(block)], [pages(0, 512)]), [
    { expected: predicted(block), actual: pages(0, 512) },
  ]);
  t.end();
});

t.test('alternatives are right too, but only they', (t) => {
  const invalid = prot.data & ~1n;
  const pool = [predicted(pages(0, 8), [invalid])];
  t.same(diffLeaves(pool, [pages(0, 3), pages(3, 1, invalid), pages(4, 4)]), []);
  t.equal(diffLeaves(pool, [pages(0, 3), pages(3, 1, prot.readOnly), pages(4, 4)]).length, 1);
  t.equal(
    diffLeaves(pool, [{ ...pages(0, 8, invalid), pa: 0x5000_0000 }]).length,
    1,
    'the address must still be right',
  );
  t.end();
});

t.test('runs agree exactly when their single leaves do', (t) => {
  const leaf = fc.constantFrom(
    undefined,
    prot.data,
    prot.readOnly,
    prot.data | CONT,
    prot.data & ~1n,
  );
  const layout = fc.array(leaf, { minLength: 1, maxLength: 24 });
  const cuts = fc.array(fc.boolean(), { minLength: 24, maxLength: 24 });
  fc.assert(
    fc.property(layout, layout, cuts, cuts, (left, right, leftCuts, rightCuts) => {
      const expected = toRuns(left, leftCuts).map((leaf) => predicted(leaf));
      const differences = diffLeaves(expected, toRuns(right, rightCuts));
      const differing = new Set(
        differences.flatMap(({ expected, actual }) => pagesOf(expected ?? actual)),
      );
      for (let page = 0; page < 24; page++) {
        if (differing.has(page) !== (left[page] !== right[page])) return false;
      }
      return true;
    }),
  );
  t.end();
});

/** Runs of one page each, joined where equal pages follow each other and no cut is asked for. */
function toRuns(layout: (bigint | undefined)[], cuts: boolean[]): LeafRun[] {
  const runs: LeafRun[] = [];
  for (const [page, attributes] of layout.entries()) {
    if (attributes === undefined) continue;
    const last = runs.at(-1);
    const follows = last && last.va + BigInt(last.size) === base + BigInt(page) * 4096n;
    if (last && follows && last.attributes === attributes && !cuts[page]) last.size += 4 * KiB;
    else runs.push(pages(page, 1, attributes));
  }
  return runs;
}

function pagesOf(leaf: LeafRun | undefined): number[] {
  if (!leaf) return [];
  const first = Number((leaf.va - base) / 4096n);
  return Array.from({ length: leaf.size / 4096 }, (_, index) => first + index);
}
