// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { type EarlyEnd, earlyEnds } from '../../src/evidence/capture.ts';
import {
  casesToConfirm,
  judgeNight,
  suspects,
  type WatchedLooks,
} from '../../src/nightly/judge-night.ts';
import { leadOf } from '../../src/nightly/lead.ts';
import { given } from '../given.ts';
import { look } from '../history/look.ts';

const F = 'invariant/rule/broken@init';
const G = 'splat/warning/other';
const watch = 'debian:7.3';

/** By scenario: the findings of a boot that completed, or how it ended otherwise. */
type Shown = Record<string, string[] | 'error' | EarlyEnd>;

/** What one watch saw: before on 7.3.3, tonight on 7.3.4. */
function watched({ before = {}, tonight = {}, again = {} }: Record<string, Shown>): WatchedLooks {
  const looks = (release: string, day: number, shown: Shown) =>
    Object.entries(shown).map(([scenario, findings]) =>
      look({
        release,
        day,
        scenario,
        ...(typeof findings === 'string' ? { end: findings } : { findings }),
      }),
    );
  return {
    watch,
    before: looks('7.3.3', 1, before),
    tonight: looks('7.3.4', 2, tonight),
    again: looks('7.3.4', 3, again),
  };
}

/** The judgement as the names of its lists, each with its findings. */
function judged(looks: WatchedLooks, unconfirmed: { watch: string; id: string }[] = []) {
  const entries = Object.entries(judgeNight([looks], unconfirmed)).filter(
    ([, list]) => list.length > 0,
  );
  return Object.fromEntries(
    entries.map(([name, list]) => [name, list.map(({ id }: { id: string }) => id)]),
  );
}

t.test(
  'a finding is new when a second boot shows it, flaky when it does not, and else not confirmed',
  async (t) => {
    const before = { a: [], b: [] };
    const tonight = { a: [F], b: [F] };
    t.same(judged(watched({ before, tonight, again: { a: [F] } })), { fresh: [F] });
    t.same(judged(watched({ before, tonight: { a: [F] }, again: { a: [] } })), { flaky: [F] });
    const random = watched({ before, tonight, again: { a: [] } });
    t.same(judged(random), { fresh: [F] }, 'two boots showed it, though not every one');
    t.match(judgeNight([random], []).fresh, [{ id: F, unsteady: true }]);
    t.same(judged(watched({ before, tonight, again: { a: [], b: [F] } })), { fresh: [F] });
    t.same(judged(watched({ before, tonight, again: { a: 'error' } })), { unconfirmed: [F] });
    for (const end of earlyEnds) {
      const dead = watched({ before, tonight, again: { a: end } });
      t.same(
        judgeNight([dead], []).flaky,
        [],
        `a second boot that ends in ${end} does not make it flaky`,
      );
      t.match(judgeNight([dead], []).unconfirmed, [{ id: F }]);
    }
    t.same(judged(watched({ before, tonight })), { unconfirmed: [F] });
    t.same(
      judged(watched({ before: {}, tonight, again: { a: [F] } })),
      { fresh: [F] },
      'on the first night, too',
    );
  },
);

t.test(
  'what was shown before is still there, wherever; what was not confirmed is as new as before',
  async (t) => {
    const looks = watched({ before: { a: [F] }, tonight: { b: [F] } });
    t.same(judged(looks), { still: [F] });
    t.same(judged(looks, [{ watch, id: F }]), { unconfirmed: [F] });
    t.same(judged(looks, [{ watch: 'another', id: F }]), { still: [F] });
    const back = watched({ tonight: { a: [F] }, again: { a: [F] } });
    const gone = [
      look({ release: '7.3.2', day: 1, scenario: 'a', findings: [F] }),
      look({ release: '7.3.3', day: 2, scenario: 'a' }),
    ];
    const later = {
      ...back,
      tonight: back.tonight.map((each) => ({
        ...each,
        run: { ...each.run, started: '2026-12-01' },
      })),
    };
    t.same(
      judged({ ...later, before: gone }),
      { fresh: [F] },
      'what was gone and comes back is new',
    );
  },
);

t.test('gone is what no case of the watch shows any more', async (t) => {
  const before = { a: [F], b: [F], c: [] };
  t.same(judged(watched({ before, tonight: { a: [], b: [] } })), { gone: [F] });
  t.same(judged(watched({ before, tonight: { a: [] } })), {}, 'case b was not looked at tonight');
  t.same(judged(watched({ before, tonight: { a: [], b: 'error' } })), {}, 'an error tells nothing');
  for (const end of earlyEnds) {
    t.same(
      judgeNight([watched({ before, tonight: { a: [], b: end } })], []).gone,
      [],
      `nor does a boot that ends in ${end}`,
    );
  }
  t.same(judged(watched({ before, tonight: { a: [], b: [F] } })), { still: [F] });
  t.match(given(judgeNight([watched({ before, tonight: { a: [], b: [] } })], []).gone[0]).cases, [
    '7.3.4@a',
    '7.3.4@b',
  ]);
});

t.test(
  'a documented finding is never new; undocumented on one case and documented on another it is both',
  async (t) => {
    const known = look({ release: '7.3.4', day: 2, scenario: 'a' });
    known.findings.push({ id: F, known: 'issue' });
    const alone: WatchedLooks = { watch, before: [], tonight: [known], again: [] };
    t.same(judged(alone), { known: [F] });
    t.same(suspects(alone, []), []);
    const both = {
      ...alone,
      tonight: [known, look({ release: '7.3.4', day: 2, scenario: 'b', findings: [F] })],
    };
    t.same(judged(both), { known: [F], unconfirmed: [F] });
    t.same(given(suspects(both, [])[0]).cases, ['7.3.4@b']);
  },
);

t.test('a kernel that died is no good end of a bisection', async (t) => {
  const shown = watched({ tonight: { a: [F] } });
  const suspect = { watch, id: F, cases: ['7.3.4@a'] };
  const whole = look({ release: '7.3.1', day: 1, scenario: 'a' });
  for (const end of earlyEnds) {
    const died = look({ release: '7.3.2', day: 1, scenario: 'a', end });
    t.equal(leadOf(suspect, { ...shown, before: [died] }), undefined);
    t.match(leadOf(suspect, { ...shown, before: [whole, died] }), {
      good: 'debian:7.3.1',
      bad: 'debian:7.3.4',
    });
  }
});

t.test('few second boots confirm all suspects', async (t) => {
  const found = suspects(watched({ tonight: { a: [F], b: [F, G], c: [G] } }), []);
  t.same(casesToConfirm(found), ['7.3.4@b']);
  const names = fc.subarray(['a', 'b', 'c', 'd', 'e'], { minLength: 1 });
  fc.assert(
    fc.property(fc.array(names), (lists) => {
      const suspected = lists.map((cases, index) => ({ watch, id: `f${index}`, cases }));
      const chosen = casesToConfirm(suspected);
      t.ok(suspected.every(({ cases }) => cases.some((each) => chosen.includes(each))));
      t.ok(chosen.length <= Math.min(suspected.length, 5));
      t.equal(new Set(chosen).size, chosen.length);
    }),
  );
});
