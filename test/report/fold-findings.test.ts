// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  countFindings,
  describeReach,
  foldByIssue,
  foldFindings,
} from '../../src/report/fold-findings.ts';
import { formatHtml } from '../../src/report/html/page.ts';
import { layMatrix } from '../../src/report/matrix.ts';
import { summaryLine } from '../../src/report/terminal.ts';
import { given } from '../given.ts';
import { sampleReport } from './sample-run.ts';

t.test('findings fold over cases, the new before the known', async (t) => {
  const report = sampleReport(1);
  const folds = foldFindings(report.cases);
  t.same(
    folds.map(({ finding }) => finding.known !== undefined),
    [false, false, false, true],
  );
  t.equal(
    given(folds[0]).cases.length,
    report.cases.filter(({ verdict }) => verdict === 'fail').length,
  );
  t.equal(describeReach(given(folds[0])), '2 kernels × 2 scenarios');
});

t.test(
  'a finding that is known on one kernel and new on another stays visible as new',
  async (t) => {
    const report = sampleReport(1);
    const known = report.cases.find(({ verdict }) => verdict === 'known');
    if (known === undefined) throw new Error('the sample has a known finding');
    const fresh = {
      ...known,
      case: 'other',
      findings: [{ ...given(known.findings[0]), known: undefined }],
    };
    const folds = foldFindings([known, fresh]);
    t.equal(folds.length, 2);
    t.equal(given(folds[0]).finding.known, undefined);
  },
);

t.test('reach claims a product of kernels and scenarios only where it is one', async (t) => {
  const report = sampleReport(1);
  const failing = report.cases.filter(({ verdict }) => verdict === 'fail').slice(0, 3);
  t.equal(describeReach(given(foldFindings(failing)[0])), '3 cases');
});

t.test('kernels of one release are told apart by what their cases are called', async (t) => {
  const { run, cases } = sampleReport(1);
  const shown = given(cases.find(({ findings }) => findings.length > 0));
  const both = ['7.3.0-gaaaaaaaaaaaa', '7.3.0-gbbbbbbbbbbbb'].map((label) => ({
    ...shown,
    case: `${label}@${shown.scenario}`,
    kernel: { ...shown.kernel, spec: `git:.@${label}`, release: '7.3.0' },
  }));
  const planned = both.map((result) => ({
    case: result.case,
    kernel: result.kernel.spec,
    scenario: result.scenario,
  }));
  const labels = ['7.3.0-gaaaaaaaaaaaa', '7.3.0-gbbbbbbbbbbbb'];
  t.same(
    layMatrix({ ...run, planned, leftOut: [] }, both).rows.map(({ name }) => name),
    labels,
  );
  const folded = given(foldFindings(both)[0]);
  t.same(folded.kernels, labels);
  t.equal(describeReach(folded), '2 kernels × 1 scenario');
});

t.test('all reports count findings in one way', async (t) => {
  const whole = sampleReport(1);
  const report = { ...whole, cases: whole.cases.filter(({ verdict }) => verdict !== 'pass') };
  const first = given(report.cases.filter(({ verdict }) => verdict === 'known')[0]);
  const twice = report.cases.map((result) =>
    result.case === first.case
      ? { ...result, findings: result.findings.map((each) => ({ ...each, known: 'another' })) }
      : result,
  );
  t.same(
    countFindings(foldByIssue(twice)),
    { fresh: 3, issues: 2, known: 1 },
    'one id is one finding',
  );
  t.match(summaryLine({ ...report, cases: twice }), '3 new findings, 2 known issues (1 finding)');
  t.match(formatHtml({ ...report, cases: twice }), '3 new findings, 2 known issues (1 finding)');
});
