// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { changedSince, type SeriesRow, seriesDifferences } from '../../src/compare/series.ts';
import type { PairComparison } from '../../src/compare/types.ts';
import { formatSeries } from '../../src/report/compare/series-text.ts';
import { given } from '../given.ts';

const pair = (name: string, ...keys: string[]) =>
  ({
    name,
    completed: { a: true, b: true },
    differences: keys.map((key) => ({
      key,
      aspect: 'layout',
      subject: key,
      a: 'x',
      b: 'y',
      checkpoints: [],
    })),
  }) as unknown as PairComparison;

const row = (index: number, kernel: SeriesRow['kernel']): SeriesRow => ({
  id: `${index}`.repeat(40),
  subject: `commit ${index}`,
  kernel,
});
const booted = (...pairs: PairComparison[]): SeriesRow['kernel'] => ({
  state: 'booted',
  sha256: 'ab'.repeat(32),
  pairs,
});
const broken: SeriesRow['kernel'] = { state: 'unavailable', reason: 'mm/mmu.c:1: error: nope' };

const rows = [
  row(0, booted()),
  row(1, booted(pair('max'), pair('v3'))),
  row(2, broken),
  row(3, booted(pair('max', 'layout/a'), pair('v3'))),
  row(4, { state: 'same', sha256: 'ab'.repeat(32), as: 3 }),
  row(5, booted(pair('max'), pair('v3', 'layout/b'))),
  row(6, booted(pair('max', 'layout/a'))),
  row(7, { state: 'same', sha256: 'ab'.repeat(32), as: 0 }),
];

t.test('each difference is named with the commits where it comes and goes', async (t) => {
  const found = seriesDifferences(rows).map(({ difference, names, events }) => [
    difference.key,
    names,
    events,
  ]);
  t.same(found, [
    [
      'layout/a',
      ['max'],
      [
        { kind: 'appears', at: 3, after: 1 },
        { kind: 'vanishes', at: 5, after: 3 + 1 },
        { kind: 'appears', at: 6, after: 5 },
        { kind: 'vanishes', at: 7, after: 6 },
      ],
    ],
    [
      'layout/b',
      ['v3'],
      // At 6 the pair was not compared: nobody knows.
      [
        { kind: 'appears', at: 5, after: 4 },
        { kind: 'vanishes', at: 7, after: 5 },
      ],
    ],
  ]);
});

t.test('what a commit changed, against the last one that could be tried', async (t) => {
  t.same(
    rows.map((_, index) => changedSince(rows, index)),
    [
      undefined,
      { differences: 0, names: [] },
      undefined,
      { differences: 1, names: ['max'] },
      { differences: 0, names: [] },
      { differences: 2, names: ['max', 'v3'] },
      { differences: 1, names: ['max'] },
      { differences: 1, names: ['max'] },
    ],
  );
});

t.test('the table says what was not tried, and what an event leaves open', async (t) => {
  const text = formatSeries({ range: 'a..b', repository: '/src/linux', rows, scenarios: 2 });
  t.same(
    text.split('\n').filter((line) => line.length > 72),
    [],
  );
  t.match(text, /^ {2}2 {2}222222222222 {2}- {13}not tried$/m);
  t.match(text, 'mm/mmu.c:1: error: nope');
  t.match(text, /^ {2}4 {2}444444444444 {2}\w{12} {2}same image$/m);
  t.match(text, /same image as 0/);
  t.match(text, /appears {3}with 333333333333 \("commit 3"\)\n +or with 222222222222 before it/);
  t.match(text, /vanishes {2}with 555555555555/);
  t.match(
    text,
    /7 commits on top of the base, 1 image booted in 2 scenarios; 1 could not\nbe tried\./,
  );
});

t.test('a series that changes nothing says so', async (t) => {
  const text = formatSeries({
    range: 'a..b',
    repository: '.',
    rows: rows.slice(0, 2),
    scenarios: 2,
  });
  t.match(text, 'No commit changes anything in 2 scenarios.');
});

t.test('a boot that dies does not end what an earlier commit did', async (t) => {
  const died = (name: string) => {
    const whole = pair(name, 'boot/completed → panic');
    const difference = given(whole.differences[0]);
    return {
      ...whole,
      completed: { a: true, b: false },
      differences: [{ ...difference, aspect: 'boot' as const, b: 'panic after paging_init' }],
    };
  };
  const series = [
    row(0, booted()),
    row(1, booted(pair('max', 'layout/a'))),
    row(2, booted(died('max'))),
    row(3, booted(pair('max', 'layout/a'))),
    row(4, booted(pair('max'))),
  ];
  const found = seriesDifferences(series).map(({ difference, events }) => [difference.key, events]);
  t.same(found, [
    [
      'layout/a',
      [
        { kind: 'appears', at: 1, after: 0 },
        { kind: 'vanishes', at: 4, after: 3 },
      ],
    ],
    [
      'boot/completed → panic',
      [
        { kind: 'appears', at: 2, after: 1 },
        { kind: 'vanishes', at: 3, after: 2 },
      ],
    ],
  ]);
});
