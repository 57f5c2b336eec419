// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { NightJudgement } from '../../src/nightly/judge-night.ts';
import { loneHosts, type RanBy } from '../../src/nightly/lone-hosts.ts';

const id = 'invariant/rule/broken@init';
const sizes = { page: 1, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 };
const finding = { id, kind: 'invariant', title: '', detail: '' } as const;

const boot = (name: string, worker: string | undefined, shown: boolean): RanBy => ({
  case: name,
  verdict: shown ? 'fail' : 'pass',
  findings: shown ? [finding] : [],
  linearMap: { init: sizes, free_initmem: sizes, paging_init: sizes },
  ...(worker !== undefined && { worker }),
});

const judged = (cases: string[], list: keyof NightJudgement = 'fresh'): NightJudgement => ({
  ...{ fresh: [], flaky: [], unconfirmed: [], still: [], known: [], gone: [] },
  [list]: [{ watch: 'debian:7.3', id, cases }],
});

t.test('a finding that one host alone shows is told, with who did not see it', async (t) => {
  const boots = [boot('a', 'one', true), boot('a', 'two', false), boot('b', 'three', false)];
  t.same(loneHosts(judged(['a'], 'flaky'), boots), [{ id, worker: 'one', others: ['two'] }]);
  t.same(
    loneHosts(judged(['a']), [boot('a', 'one', true), boot('a', 'one', true)]),
    [{ id, worker: 'one', others: [] }],
    'the second boot was on the same host',
  );
});

t.test('two hosts that show it, and one process without a farm, are nothing to tell', async (t) => {
  t.same(loneHosts(judged(['a', 'b']), [boot('a', 'one', true), boot('b', 'two', true)]), []);
  t.same(loneHosts(judged(['a']), [boot('a', undefined, true), boot('a', undefined, false)]), []);
  t.same(loneHosts(judged(['a']), [boot('a', undefined, true), boot('a', 'one', true)]), []);
  t.same(loneHosts(judged(['a'], 'known'), [boot('a', 'one', true)]), [], 'it is documented');
});
