// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { formatKcidb } from '../../../src/report/export/kcidb.ts';
import type { RunResults } from '../../../src/report/export/outline.ts';
import { given } from '../../given.ts';
import { sampleReport } from '../sample-run.ts';
import { hostileResults } from './hostile-results.ts';
import { kcidbReport } from './kcidb-schema.ts';

const report = sampleReport();

/** The report as KCIDB reads it, every list present. */
function read(results: RunResults, origin = 'ptdiff') {
  const text = formatKcidb(results, { origin });
  const {
    checkouts = [],
    builds = [],
    tests = [],
    issues = [],
    incidents = [],
  } = kcidbReport.parse(JSON.parse(text));
  return { text, checkouts, builds, tests, issues, incidents };
}

/** References that lead nowhere, and ids that two objects bear. */
function dangling(results: RunResults): string[] {
  const { checkouts, builds, tests, issues, incidents } = read(results);
  const lists = { checkouts, builds, tests, issues, incidents };
  const ids = Object.values(lists).map((list) => list.map(({ id }) => id));
  const has = (list: { id: string }[], id: string | undefined) =>
    list.some((each) => each.id === id);
  return [
    ...ids.flatMap((list) => list.filter((id, index) => list.indexOf(id) !== index)),
    ...builds.filter(({ checkout_id }) => !has(checkouts, checkout_id)).map(({ id }) => id),
    ...tests.filter(({ build_id }) => !has(builds, build_id)).map(({ id }) => id),
    ...incidents
      .filter((each) => !has(tests, each.test_id) || !has(issues, each.issue_id))
      .map(({ id }) => id),
  ];
}

t.test('the sample is a report of schema 5.3', async (t) => {
  const { text, tests, issues, incidents } = read(report);
  t.notMatch(text, /: null/);
  t.same(dangling(report), []);
  t.match(issues, [
    { id: 'ptdiff:known-issue/split-before-caps-final', culprit: { code: true, harness: false } },
  ]);
  t.equal(incidents.length, report.run.counts.known);
  t.match(tests.find(({ status }) => status !== 'PASS')?.log_excerpt, /Kernel panic/);
});

t.test('every verdict has its status', async (t) => {
  const verdicts = ['pass', 'known', 'fail', 'hang', 'crash', 'error'] as const;
  const cases = verdicts.map((verdict, index) => ({ ...given(report.cases[index]), verdict }));
  t.same(
    read({ ...report, cases }).tests.map(({ status }) => status),
    ['PASS', 'FAIL', 'FAIL', 'FAIL', 'FAIL', 'MISS'],
  );
});

t.test('ids are the same for the same run, and begin with the origin', async (t) => {
  t.equal(read(report).text, read(report).text);
  const { tests, builds } = read(report, 'lab_7');
  t.ok(
    [...tests, ...builds].every(({ id, origin }) => id.startsWith('lab_7:') && origin === 'lab_7'),
  );
});

t.test(
  'a kernel that could not be had is a missed build, its cases are missed tests',
  async (t) => {
    const spec = 'debian:6.15';
    const kernel = { spec, release: '6.15', flavour: '', sha256: '', generation: '' };
    const planned = [{ case: '6.15@max', kernel: spec, scenario: 'max' }];
    const result = {
      ...given(report.cases[0]),
      case: '6.15@max',
      scenario: 'max',
      kernel,
      verdict: 'error' as const,
    };
    const { builds, tests } = read({ ...report, run: { ...report.run, planned }, cases: [result] });
    t.match(builds, [{ status: 'MISS', comment: /no longer has it/ }]);
    t.match(tests, [{ status: 'MISS', path: 'ptdiff.max' }]);
  },
);

t.test(
  'a kernel of a commit is that checkout; with patches on top it is one of its own',
  async (t) => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const result = given(report.cases[0]);
    const checkout = (spec: string) => {
      const kernels = [{ ...given(report.run.kernels[0]), spec, commit }];
      const cases = [{ ...result, kernel: { ...result.kernel, spec } }];
      return read({ ...report, run: { ...report.run, kernels, planned: [] }, cases }).checkouts;
    };
    t.match(checkout('git:linux@HEAD'), [
      { id: `ptdiff:commit/${commit}`, git_commit_hash: commit, patchset_hash: '' },
    ]);
    const [patched] = checkout('git:linux@HEAD,patch=fix.patch');
    t.match(patched, {
      id: /^ptdiff:image/,
      git_commit_hash: commit,
      patchset_hash: undefined,
      comment: /fix\.patch/,
    });
  },
);

t.test('whatever a guest says, the report is valid and whole', async () => {
  fc.assert(fc.property(hostileResults, (results) => dangling(results).length === 0));
});

t.test('a test names its depth; one of an older run was booted in full', async (t) => {
  const [first, second, ...rest] = report.cases;
  const { depth: _, ...older } = given(first);
  const cases = [older, { ...given(second), depth: 'early' as const }, ...rest];
  const [a, b] = read({ ...report, cases }).tests;
  t.match([a?.misc, b?.misc], [{ depth: 'full' }, { depth: 'early' }]);
});
