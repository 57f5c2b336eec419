// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { earlyEnds } from '../../src/evidence/capture.ts';
import { findName } from '../../src/history/find-name.ts';
import { median, scenarioLife } from '../../src/history/scenario-life.ts';
import { given } from '../given.ts';
import { look } from './look.ts';

t.test('verdicts in a row that are alike are one span', async (t) => {
  const life = scenarioLife('max', [
    look({ release: '7.3.4', day: 5, findings: ['splat/b', 'splat/a'] }),
    look({ release: '7.3.4', day: 1, seconds: 2 }),
    look({ release: '7.3.4', day: 2, seconds: 4 }),
    look({ release: '7.3.4', day: 3, end: 'error', seconds: 100 }),
    look({ release: '7.3.4', day: 4, findings: ['splat/a', 'splat/b'], hash: 'redefined' }),
    look({ release: '7.3.10', day: 1 }),
    look({ release: '6.12.1', day: 1 }),
  ]);
  t.equal(life.definitions, 2);
  t.same(
    life.series.map(({ series, kernels }) => [series, ...kernels.map(({ release }) => release)]),
    [
      ['6.12 arm64', '6.12.1'],
      ['7.3 arm64', '7.3.4', '7.3.10'],
    ],
  );
  const kernel = given(given(life.series[1]).kernels[0]);
  t.same(
    kernel.spans.map(({ verdict, looks, first, last }) => [verdict, looks, first.id, last.id]),
    [
      ['pass', 2, 'run1', 'run2'],
      ['error', 1, 'run3', 'run3'],
      ['fail', 2, 'run4', 'run5'],
    ],
  );
  t.equal(kernel.seconds, 3, 'the time of an error says nothing');
  const died = earlyEnds.map((end) =>
    scenarioLife('max', [look({ release: '7.3.4', day: 1, end })]),
  );
  t.same(
    died.map(({ series }) => given(given(series[0]).kernels[0]).seconds),
    Array(3).fill(undefined),
    'nor does that of a boot that died',
  );
});

t.test('the median is of odd and even numbers of values', async (t) => {
  t.equal(median([5, 1, 3]), 3);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(median([]), undefined);
});

t.test('a shortened name stands for the only one that it can mean', async (t) => {
  const names = [
    'max',
    'max+off',
    'invariant/direct-map/cannot-split@init',
    'splat/warning/max',
    'max',
  ];
  t.same(findName('max', names), { kind: 'one', name: 'max' }, 'an exact name wins');
  t.same(findName('max+', names), { kind: 'one', name: 'max+off' }, 'a start wins over a part');
  t.same(findName('cannot-split', names), { kind: 'one', name: names[2] });
  t.same(findName('a', names), { kind: 'several', names: names.slice(0, 4) });
  t.same(findName('zzz', names), { kind: 'none' });
});
