import t from 'tap';
import { observe } from '../../src/bisect/observe.ts';
import type { CaseResult, Finding } from '../../src/diff/types.ts';

const finding = (id: string): Finding => ({ id, kind: 'invariant', title: id, detail: id });
const result = (verdict: CaseResult['verdict'], ...ids: string[]) => ({
  verdict,
  findings: ids.map(finding),
  ...(['hang', 'crash', 'error'].includes(verdict) && { reason: 'It died.' }),
});
const sought = { finding: 'invariant/a/b@init' };

t.test('only the same finding counts, known or not, and a boot that died says nothing else', async (t) => {
  t.equal(observe(result('fail', 'invariant/a/b@init'), sought).outcome, 'present');
  t.equal(
    observe({ verdict: 'known', findings: [{ ...finding('invariant/a/b@init'), known: 'x' }] }, sought).outcome,
    'present',
  );
  t.equal(observe(result('fail', 'invariant/a/b@free_initmem'), sought).outcome, 'absent');
  t.equal(observe(result('pass'), sought).outcome, 'absent');
  t.same(observe(result('crash', 'splat/boot/crash'), sought), { outcome: 'unusable', reason: 'It died.' });
  t.equal(
    observe(result('hang', 'splat/boot/hang', 'invariant/a/b@init'), sought).outcome,
    'present',
    'it showed before',
  );
  t.equal(observe(result('crash', 'splat/boot/crash'), { finding: 'splat/boot/crash' }).outcome, 'present');
  t.equal(observe(result('error'), sought).outcome, 'unusable');
  t.equal(
    observe({ verdict: 'known', findings: [{ ...finding('splat/boot/hang'), known: 'x' }] }, sought).outcome,
    'unusable',
    'a known hang is a hang all the same',
  );
});

t.test('a verdict: new findings, or death', async (t) => {
  const outcomes = (verdict: 'fail' | 'died') =>
    (['pass', 'known', 'fail', 'hang', 'crash', 'error'] as const).map(
      (each) => observe(result(each), { verdict }).outcome,
    );
  t.same(outcomes('fail'), ['absent', 'absent', 'present', 'unusable', 'unusable', 'unusable']);
  t.same(outcomes('died'), ['absent', 'absent', 'absent', 'present', 'present', 'unusable']);
});
