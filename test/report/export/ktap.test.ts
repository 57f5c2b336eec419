// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { formatKtap } from '../../../src/report/export/ktap.ts';
import { outlineOf } from '../../../src/report/export/outline.ts';
import { judged } from '../../diff/judged.ts';
import { given } from '../../given.ts';
import { sampleReport } from '../sample-run.ts';
import { hostileResults } from './hostile-results.ts';
import { type KtapResult, parseKtap } from './parse-ktap.ts';

const report = sampleReport();
const kernels = parseKtap(formatKtap(report));

function at(kernel: RegExp, scenario: string): KtapResult {
  const found = kernels.find(({ description }) => kernel.test(description));
  const test = found?.subtests.find(({ description }) => description === scenario);
  if (!test) throw new Error(`no ${scenario}`);
  return test;
}

t.test('every verdict has its form', async (t) => {
  const byVerdict = new Map(report.cases.map((result) => [result.verdict, result]));
  const checks = (name: string) => {
    const result = byVerdict.get(name as never);
    const test = at(
      new RegExp(`${result?.kernel.spec}$`.replace(':', '.')),
      result?.scenario ?? '',
    );
    return { test, marked: test.subtests.filter(({ ok, directive }) => !ok || directive) };
  };
  t.match(checks('pass'), { test: { ok: true, directive: undefined }, marked: { length: 0 } });
  t.equal(checks('pass').test.subtests.length, 11);
  t.match(checks('known').marked, [
    { ok: true, description: 'kernel-log', directive: 'XFAIL', words: /split-before/ },
  ]);
  t.match(checks('fail'), {
    test: { ok: false },
    marked: [{ ok: false, description: 'prediction@init' }],
  });
  t.match(given(checks('fail').marked[0]).diagnostics[0], /mismatch-init/);
  t.match(checks('error').test, {
    ok: false,
    directive: 'ERROR',
    words: /free_initmem/,
    subtests: [],
  });
});

t.test('a hang is a time-out of its boot, and what it did not reach is skipped', async (t) => {
  const result = given(report.cases[0]);
  const cases = [{ ...result, ...judged({ end: 'hang', after: 'paging_init' }) }];
  const kernel = given(
    parseKtap(formatKtap({ ...report, run: { ...report.run, planned: [] }, cases }))[0],
  );
  t.notOk(given(kernel.subtests[0]).ok);
  t.same(
    given(kernel.subtests[0]).subtests.map(
      ({ description, directive }) => directive && `${description} ${directive}`,
    ),
    [
      ...[undefined, undefined],
      ...['prediction@free_initmem SKIP', 'invariants@free_initmem SKIP'],
      ...['prediction@init SKIP', 'invariants@init SKIP', 'prediction@probes SKIP'],
      ...['kernel-log SKIP', 'boot TIMEOUT'],
    ],
  );
});

t.test('a boot around a repaint has its checkpoints among the checks', async (t) => {
  const result = given(report.cases[0]);
  const { init } = result.linearMap;
  const cases = [
    { ...result, linearMap: { ...result.linearMap, before_split: init, after_split: init } },
  ];
  const kernel = given(
    parseKtap(formatKtap({ ...report, run: { ...report.run, planned: [] }, cases }))[0],
  );
  const names = given(kernel.subtests[0]).subtests.map(({ description }) => description);
  t.same(
    names.slice(2, 6),
    ['before_split', 'after_split'].flatMap((name) => [`prediction@${name}`, `invariants@${name}`]),
  );
});

t.test('of a board without a prediction no boot is said to have stopped', async (t) => {
  const result = given(report.cases[0]);
  const { init: live } = result.linearMap;
  const board = { ...result, linearMap: { live }, symbols: { grade: 'not predicted' } };
  const [kernel] = parseKtap(
    formatKtap({ ...report, run: { ...report.run, planned: [] }, cases: [board] }),
  );
  t.match(given(given(kernel).subtests[0]).subtests[0], {
    ...{ description: 'prediction@live', ok: true, directive: 'SKIP' },
    words: 'no prediction: only invariants were checked',
  });
});

t.test('cases that were not run are skipped, and so is a kernel without any', async (t) => {
  const first = given(report.cases[0]);
  const parsed = parseKtap(formatKtap({ ...report, cases: [first] }));
  const all = parsed.flatMap(({ subtests }) => subtests);
  t.equal(all.length, report.run.planned.length);
  t.equal(all.filter(({ directive }) => directive === 'SKIP').length, all.length - 1);
  t.equal(parsed.filter(({ directive }) => directive === 'SKIP').length, parsed.length - 1);
});

t.test('whatever a guest says, the stream is KTAP and tells the verdicts', async () => {
  fc.assert(
    fc.property(hostileResults, (results) => {
      const parsed = parseKtap(formatKtap(results));
      const told = parsed.flatMap(({ subtests }) => subtests.map(({ ok }) => ok));
      const meant = outlineOf(results).flatMap(({ cases }) =>
        cases.map(
          ({ result }) =>
            result === undefined || result.verdict === 'pass' || result.verdict === 'known',
        ),
      );
      return JSON.stringify(told) === JSON.stringify(meant);
    }),
  );
});

t.test('an early case says where it ended', async (t) => {
  const early = {
    ...given(report.cases.find(({ verdict }) => verdict === 'pass')),
    depth: 'early' as const,
  };
  const said = /^ +# +depth: early: it ended at the return of smp_cpus_done\(\)$/m;
  t.match(formatKtap({ ...report, cases: [early] }), said);
  t.notMatch(formatKtap({ ...report, cases: [{ ...early, depth: 'full' }] }), said);
});
