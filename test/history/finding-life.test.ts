// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { type CheckpointName, checkpointsOf, earlyEnds } from '../../src/evidence/capture.ts';
import { findingLife } from '../../src/history/finding-life.ts';
import { take } from '../given.ts';
import { look } from './look.ts';

const F = 'invariant/rule/broken@init';

t.test('a finding comes with one kernel of a series and goes with another', async (t) => {
  const life = findingLife(F, [
    look({ release: '7.0.7', day: 1 }),
    look({ release: '7.0.9', day: 2, findings: [F] }),
    look({ release: '7.0.10', day: 3, findings: [F, 'splat/other'] }),
    // An older version is looked at again later: that brings nothing back.
    look({ release: '7.0.9', day: 9, findings: [F] }),
    look({ release: '7.0.12', day: 4, end: 'error' }),
    look({ release: '7.0.13', day: 5 }),
    look({ release: '7.0.13', day: 6 }),
    look({ release: '6.12.1', day: 6 }),
    look({ release: '6.12.2', day: 7 }),
    look({ release: '7.3.4', day: 6, findings: [F] }),
  ]);
  t.match(life, {
    state: 'there',
    firstSeen: { release: '7.0.9', run: { id: 'run2' } },
    lastSeen: { release: '7.0.9', run: { id: 'run9' } },
    never: [{ series: '6.12 arm64', kernels: 2, looks: 2 }],
    wavering: [],
  });
  const [old, fresh] = take(life?.series ?? [], 2);
  t.match(old, {
    series: '7.0 arm64',
    state: 'gone',
    goneSince: { release: '7.0.13', run: { id: 'run5' } },
  });
  t.same(
    old.kernels.map(({ release, state }) => [release, state]),
    [
      ['7.0.7', 'absent'],
      ['7.0.9', 'shown'],
      ['7.0.10', 'shown'],
      ['7.0.12', 'unknown'],
      ['7.0.13', 'absent'],
    ],
  );
  t.match(fresh, { series: '7.3 arm64', state: 'there', goneSince: undefined });
});

t.test(
  'gone needs a look that could have seen it: an error, a boot that died or another scenario is none',
  async (t) => {
    const there = look({ release: '7.3.3', day: 1, findings: [F] });
    const died = earlyEnds.flatMap((end) =>
      [undefined, ...checkpointsOf(false)].map((after) =>
        look({ release: '7.3.4', day: 2, end, ...(after && { after }) }),
      ),
    );
    const elsewhere = look({ release: '7.3.4', day: 2, scenario: 'cortex-a76' });
    const error = look({ release: '7.3.4', day: 2, end: 'error' });
    for (const later of [...died, elsewhere, error]) {
      t.equal(findingLife(F, [there, later])?.state, 'there', JSON.stringify(later.findings));
    }
    t.equal(findingLife(F, [there, look({ release: '7.3.4', day: 2 })])?.state, 'gone');
    t.equal(findingLife(F, died), undefined);
    const hanging = look({ release: '7.3.4', day: 2, end: 'hang', findings: [F] });
    t.equal(findingLife(F, [hanging])?.state, 'there', 'what a hanging kernel shows counts');
  },
);

t.test('only a boot that came to its checkpoint can say that a finding is gone', async (t) => {
  const on = (checkpoint: CheckpointName) => {
    const id = `invariant/rule/broken@${checkpoint}`;
    const { init: _, ...before } = look({ release: '7.3.4', day: 2 }).linearMap;
    const later = look({ release: '7.3.4', day: 2, linearMap: before });
    return findingLife(id, [look({ release: '7.3.3', day: 1, findings: [id] }), later])?.state;
  };
  t.equal(on('init'), 'there');
  t.equal(on('free_initmem'), 'gone');
  t.equal(
    on('after_split'),
    'gone',
    'where nothing is repainted, nothing is wrong after the repaint',
  );
});

t.test('one kernel that answers in two ways: what changed in between, or nothing', async (t) => {
  const shown = { release: '7.3.4', day: 1, findings: [F] };
  const causes = [
    [{ hash: 'another', ptdiff: 'p2', emulator: 'e2' }, 'scenario'],
    [{ ptdiff: 'p2', emulator: 'e2' }, 'emulator'],
    [{ ptdiff: 'p2' }, 'ptdiff'],
    [{}, 'nothing'],
  ] as const;
  for (const [change, because] of causes) {
    const life = findingLife(F, [look(shown), look({ release: '7.3.4', day: 2, ...change })]);
    t.match(life, {
      state: 'gone',
      wavering: [{ shown: false, because, after: { run: { id: 'run2' } } }],
    });
  }
  const back = findingLife(F, [
    look(shown),
    look({ release: '7.3.4', day: 2 }),
    look({ ...shown, day: 3 }),
  ]);
  t.match(back, {
    state: 'there',
    wavering: [{ shown: false }, { shown: true, because: 'nothing' }],
  });
  const rebuilt = findingLife(F, [
    look(shown),
    look({ release: '7.3.4', day: 2, sha256: 'another build' }),
  ]);
  t.match(
    rebuilt,
    { state: 'gone', wavering: { length: 0 } },
    'another Image of the same release is another kernel',
  );
});

t.test(
  'releases are ordered by version, candidates before the release; flavours are series of their own',
  async (t) => {
    const releases = ['7.3.10', '7.3.4', '7.3', '7.3-rc7', '7.3-rc10', '7.3.4-rc1'];
    const life = findingLife(F, [
      ...releases.map((release, day) => look({ release, day: day + 1, findings: [F] })),
      look({ release: '7.3.4', day: 9, flavour: '16k', findings: [F] }),
      look({ release: 'odd', day: 9, flavour: 'local', findings: [F] }),
    ]);
    t.same(
      life?.series.map(({ series, kernels }) => [series, kernels.map(({ release }) => release)]),
      [
        ['other local', ['odd']],
        ['7.3 arm64', ['7.3-rc7', '7.3-rc10', '7.3', '7.3.4-rc1', '7.3.4', '7.3.10']],
        ['7.3 16k', ['7.3.4']],
      ],
    );
  },
);

t.test(
  'the order in which looks are given does not matter, and nothing is counted twice or lost',
  async () => {
    const parts = fc.record({
      release: fc.constantFrom('6.12.1', '7.3-rc1', '7.3.1', '7.3.2', '7.3.11'),
      day: fc.integer({ min: 1, max: 28 }),
      scenario: fc.constantFrom('max', 'realm', 'cortex-a76'),
      findings: fc.subarray([F, 'splat/warning/other']),
      end: fc.option(fc.constantFrom('error' as const, ...earlyEnds), { nil: undefined }),
      flavour: fc.constantFrom('arm64', '16k'),
    });
    // One case has one result in a run.
    const history = fc.uniqueArray(parts, {
      selector: ({ release, day, scenario, flavour }) => `${release} ${day} ${scenario} ${flavour}`,
    });
    fc.assert(
      fc.property(history, fc.integer(), (all, seed) => {
        const looks = all.map(({ end, ...each }) => look({ ...each, ...(end && { end }) }));
        const life = findingLife(F, looks);
        const shuffled = looks
          .map((each, index) => ({ each, key: Math.imul(index + 1, seed | 1) }))
          .sort((left, right) => left.key - right.key)
          .map(({ each }) => each);
        t.same(findingLife(F, shuffled), life);
        const seen = looks.filter(({ findings }) => findings.some(({ id }) => id === F));
        t.equal(life === undefined, seen.length === 0);
        for (const series of life?.series ?? []) {
          const newest = series.kernels.findLast(({ state }) => state !== 'unknown');
          t.equal(
            series.state === 'gone',
            newest?.state === 'absent' && series.goneSince !== undefined,
          );
          for (const { shown, looked, state } of series.kernels) {
            t.equal(state, shown.length > 0 ? 'shown' : looked > 0 ? 'absent' : 'unknown');
          }
        }
      }),
      { numRuns: 200 },
    );
  },
);
