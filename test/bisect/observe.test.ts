// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { observe } from '../../src/bisect/observe.ts';
import { bootEndId } from '../../src/diff/boot-end.ts';
import { earlyEnds } from '../../src/evidence/capture.ts';
import { issue, judged, readOnlyPage } from '../diff/judged.ts';
import { given } from '../given.ts';

/** What readOnlyPage() breaks. */
const sought = { finding: given(issue.match[0]) };

t.test(
  'only the same finding counts, known or not, and a boot that died says nothing else',
  async (t) => {
    t.equal(observe(judged({}, readOnlyPage), sought).outcome, 'present');
    t.equal(
      observe(judged({ knownIssues: [issue] }, readOnlyPage), sought).outcome,
      'present',
      'known or not',
    );
    const elsewhere = sought.finding.replace('@init', '@free_initmem');
    t.equal(observe(judged({}, readOnlyPage), { finding: elsewhere }).outcome, 'absent');
    t.equal(observe(judged({}), sought).outcome, 'absent');
    t.equal(observe(judged({ end: 'error' }), sought).outcome, 'unusable');
    for (const end of earlyEnds) {
      t.same(observe(judged({ end }), sought), { outcome: 'unusable', reason: 'It ended.' }, end);
      t.same(
        observe(judged({ end, after: 'init' }, readOnlyPage), sought).outcome,
        'present',
        `shown before the ${end}`,
      );
      t.equal(observe(judged({ end }), { finding: bootEndId(end) }).outcome, 'present');
      const known = judged({ end, knownIssues: [{ ...issue, match: [bootEndId(end)] }] });
      t.equal(known.verdict, 'known');
      t.equal(observe(known, sought).outcome, 'unusable', `a known ${end} is one all the same`);
    }
  },
);

t.test(
  'a boot that never came to the checkpoint of the finding is neither good nor bad',
  async (t) => {
    const { linearMap, ...result } = judged({});
    const { init: _, ...before } = linearMap;
    t.same(observe({ ...result, linearMap: before }, sought), {
      outcome: 'unusable',
      reason: 'The boot did not reach the checkpoint init.',
    });
  },
);

t.test('a verdict: new findings, or death', async (t) => {
  const boots = [
    judged({}),
    judged({ knownIssues: [issue] }, readOnlyPage),
    judged({}, readOnlyPage),
    ...earlyEnds.map((end) => judged({ end })),
    judged({ end: 'error' }),
  ];
  t.same(
    boots.map(({ verdict }) => verdict),
    ['pass', 'known', 'fail', 'crash', 'hang', 'crash', 'error'],
  );
  const outcomes = (verdict: 'fail' | 'died') =>
    boots.map((each) => observe(each, { verdict }).outcome);
  const unusable = Array(4).fill('unusable');
  t.same(outcomes('fail'), ['absent', 'absent', 'present', ...unusable]);
  t.same(outcomes('died'), [
    'absent',
    'absent',
    'absent',
    'present',
    'present',
    'present',
    'unusable',
  ]);
});
