// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { judgeNight } from '../../src/nightly/judge-night.ts';
import { leadOf } from '../../src/nightly/lead.ts';
import { looksByWatch, watchesOf } from '../../src/nightly/watches.ts';
import { look } from '../history/look.ts';

const F = 'invariant/rule/broken@init';
const G = 'splat/warning/other';
const kernel = (watch: string, release: string) => ({ watch, sha256: `${release} arm64` });

t.test('what one watch had and another has now is judged for the other', async (t) => {
  // sid went on to 7.3.4 when backports got 7.3.3, which shows F, every night again.
  const watches = watchesOf(
    [kernel('sid', '7.3.3')],
    [kernel('sid', '7.3.4'), kernel('backports', '7.3.3')],
  );
  const before = [
    look({ release: '7.3.3', day: 1, scenario: 'a', findings: [F] }),
    look({ release: '7.3.4', day: 2, scenario: 'a' }),
    look({ release: '7.3.3', day: 3, scenario: 'a', findings: [F] }),
    look({ release: '7.3.3', day: 3, scenario: 'b', findings: [G] }),
  ];
  const tonight = [
    look({ release: '7.3.4', day: 4, scenario: 'a' }),
    look({ release: '7.3.4', day: 4, scenario: 'b', findings: [G] }),
    look({ release: '7.3.3', day: 4, scenario: 'a', findings: [F] }),
  ];
  const judged = judgeNight(looksByWatch(watches, { before, tonight, again: [] }), []);
  t.same(judged.gone, [], 'F was gone from sid on day 2');
  t.match(judged.still, [
    { watch: 'backports', id: F, cases: ['7.3.3@a'] },
    { watch: 'sid', id: G, cases: ['7.3.4@b'] },
  ]);
  t.same(judged.unconfirmed, [], 'G is no regression of 7.3.4: 7.3.3 showed it when sid had that');
});

t.test('a new finding leads from the last kernel without it to the one with it', async (t) => {
  const fresh = { watch: 'sid', id: F, cases: ['7.3.4@a'] };
  const before = [
    look({ release: '7.3.2', day: 1, scenario: 'a' }),
    look({ release: '7.3.3', day: 2, scenario: 'a' }),
    look({ release: '7.3.3', day: 3, scenario: 'a', end: 'error' }),
    look({ release: '7.3.3', day: 4, scenario: 'b' }),
  ];
  const tonight = [look({ release: '7.3.4', day: 5, scenario: 'a', findings: [F] })];
  const looks = { watch: 'sid', before, tonight, again: [] };
  t.same(leadOf(fresh, looks), {
    finding: F,
    scenario: 'a',
    good: 'debian:7.3.3',
    bad: 'debian:7.3.4',
  });
  t.match(leadOf({ ...fresh, unsteady: true }, looks), { good: 'debian:7.3.3', repeat: 3 });
  t.equal(
    leadOf(fresh, { ...looks, before: [] }),
    undefined,
    'the first night has nothing to go back to',
  );
  const spec = (text: string) => (each: (typeof before)[number]) => ({
    ...each,
    kernel: { ...each.kernel, spec: text },
  });
  t.equal(leadOf(fresh, { ...looks, before: before.map(spec('file:/boot/Image')) }), undefined);
  const commit = (digit: string) => `git:/src@${digit.repeat(40)},config=64k`;
  const [older, newer] = [commit('a'), commit('b')];
  const git = { ...looks, before: before.map(spec(older)), tonight: tonight.map(spec(newer)) };
  t.match(leadOf(fresh, git), { good: older, bad: newer });
  t.equal(
    leadOf(fresh, { ...git, before: before.map(spec(older.replace('64k', '16k'))) }),
    undefined,
  );
});
