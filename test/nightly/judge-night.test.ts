import fc from 'fast-check';
import t from 'tap';
import { casesToConfirm, judgeNight, suspects, type WatchedLooks } from '../../src/nightly/judge-night.ts';
import { look } from '../history/look.ts';

const F = 'invariant/rule/broken@init';
const G = 'splat/warning/other';
const watch = 'debian:7.3';

/** What one watch saw: before on 7.3.3, tonight on 7.3.4. */
function watched({
  before = {},
  tonight = {},
  again = {},
}: Record<string, Record<string, string[] | 'error'>>): WatchedLooks {
  const looks = (release: string, day: number, shown: Record<string, string[] | 'error'>) =>
    Object.entries(shown).map(([scenario, findings]) =>
      findings === 'error'
        ? look({ release, day, scenario, verdict: 'error' })
        : look({ release, day, scenario, findings }),
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
  const entries = Object.entries(judgeNight([looks], unconfirmed)).filter(([, list]) => list.length > 0);
  return Object.fromEntries(entries.map(([name, list]) => [name, list.map(({ id }: { id: string }) => id)]));
}

t.test('a finding is new when a second boot shows it, flaky when it does not, and else not confirmed', async (t) => {
  const before = { a: [], b: [] };
  const tonight = { a: [F], b: [F] };
  t.same(judged(watched({ before, tonight, again: { a: [F] } })), { fresh: [F] });
  t.same(judged(watched({ before, tonight: { a: [F] }, again: { a: [] } })), { flaky: [F] });
  const random = watched({ before, tonight, again: { a: [] } });
  t.same(judged(random), { fresh: [F] }, 'two boots showed it, though not every one');
  t.match(judgeNight([random], []).fresh, [{ id: F, unsteady: true }]);
  t.same(judged(watched({ before, tonight, again: { a: [], b: [F] } })), { fresh: [F] });
  t.same(judged(watched({ before, tonight, again: { a: 'error' } })), { unconfirmed: [F] });
  t.same(judged(watched({ before, tonight })), { unconfirmed: [F] });
  t.same(judged(watched({ before: {}, tonight, again: { a: [F] } })), { fresh: [F] }, 'on the first night, too');
});

t.test('what was shown before is still there, wherever; what was not confirmed is as new as before', async (t) => {
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
    tonight: back.tonight.map((each) => ({ ...each, run: { ...each.run, started: '2026-12-01' } })),
  };
  t.same(judged({ ...later, before: gone }), { fresh: [F] }, 'what was gone and comes back is new');
});

t.test('gone is what no case of the watch shows any more', async (t) => {
  const before = { a: [F], b: [F], c: [] };
  t.same(judged(watched({ before, tonight: { a: [], b: [] } })), { gone: [F] });
  t.same(judged(watched({ before, tonight: { a: [] } })), {}, 'case b was not looked at tonight');
  t.same(judged(watched({ before, tonight: { a: [], b: 'error' } })), {}, 'an error tells nothing');
  t.same(judged(watched({ before, tonight: { a: [], b: [F] } })), { still: [F] });
  t.match(judgeNight([watched({ before, tonight: { a: [], b: [] } })], []).gone[0].cases, ['7.3.4@a', '7.3.4@b']);
});

t.test(
  'a documented finding is never new; undocumented on one case and documented on another it is both',
  async (t) => {
    const known = look({ release: '7.3.4', day: 2, scenario: 'a' });
    known.findings.push({ id: F, known: 'issue' });
    const alone: WatchedLooks = { watch, before: [], tonight: [known], again: [] };
    t.same(judged(alone), { known: [F] });
    t.same(suspects(alone, []), []);
    const both = { ...alone, tonight: [known, look({ release: '7.3.4', day: 2, scenario: 'b', findings: [F] })] };
    t.same(judged(both), { known: [F], unconfirmed: [F] });
    t.same(suspects(both, [])[0].cases, ['7.3.4@b']);
  },
);

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
