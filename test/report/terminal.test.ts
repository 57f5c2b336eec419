// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import type { CaseResult } from '../../src/diff/types.ts';
import { usualWidth } from '../../src/report/colour.ts';
import {
  countFindings,
  describeReach,
  foldByIssue,
  foldFindings,
} from '../../src/report/fold-findings.ts';
import { formatHtml } from '../../src/report/html/page.ts';
import { layMatrix } from '../../src/report/matrix.ts';
import { plainLine } from '../../src/report/plain-text.ts';
import { formatRun, summaryLine } from '../../src/report/terminal.ts';
import { formatCase } from '../../src/report/terminal-case.ts';
import { formatPrediction } from '../../src/report/terminal-prediction.ts';
import type { Report } from '../../src/report/types.ts';
import { decisions } from '../diff/sample-decisions.ts';
import { given } from '../given.ts';
import { layout } from './sample-layout.ts';
import { derivation, mismatch, sampleReport } from './sample-run.ts';

const escapeCode = String.fromCharCode(27);

function visible(line: string): string {
  return line
    .split(`${escapeCode}[`)
    .map((part, index) => (index === 0 ? part : part.replace(/^[0-9;]*m/, '')))
    .join('');
}

function tooWide(text: string): string[] {
  return text.split('\n').filter((line) => visible(line).length > usualWidth);
}

t.test('a run fits 100 columns, with and without colour', async (t) => {
  const report = sampleReport(0.5);
  t.same(tooWide(formatRun(report, { colour: false })), []);
  t.same(tooWide(formatRun(report, { colour: true })), []);
  t.notOk(formatRun(report, { colour: false }).includes(escapeCode));
  t.ok(formatRun(report, { colour: true }).includes(escapeCode));
});

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme', maxLength: 150 }),
  fc.constantFrom(
    '\u001b[2J',
    '\u001b]0;title\u0007',
    'x'.repeat(300),
    '漢字'.repeat(40),
    '\u202etxt',
    'a\nb\r\nc\td',
  ),
);

function rename(
  report: Report,
  names: { release: string; scenario: string; finding: string; reason: string },
): Report {
  const scenario = given(report.run.planned[0]).scenario;
  const renamed = (value: string) => (value === scenario ? names.scenario : value);
  const cases = report.cases.map(
    (result): CaseResult => ({
      ...result,
      case: `${names.release}_${renamed(result.scenario)}`,
      scenario: renamed(result.scenario),
      kernel: { ...result.kernel, release: names.release },
      reason: names.reason,
      symbols: { [names.finding]: names.release },
      findings: [
        {
          ...mismatch,
          id: names.finding,
          title: names.finding,
          detail: names.reason,
          known: names.reason,
        },
      ],
    }),
  );
  return {
    ...report,
    cases,
    run: { ...report.run, unavailable: [{ spec: names.release, reason: names.reason }] },
  };
}

t.test(
  'whatever things are called, 100 columns are never exceeded and no control character gets through',
  async (t) => {
    const control = /[\p{Cc}\p{Bidi_Control}]/u;
    fc.assert(
      fc.property(oddText, oddText, oddText, oddText, (release, scenario, finding, reason) => {
        const report = rename(sampleReport(0.04), { release, scenario, finding, reason });
        const result = given(report.cases[0]);
        const dossier = {
          case: result.case,
          drawings: [],
          derivation,
          decisions,
          consoleTail: reason,
        };
        const text =
          formatRun(report, { colour: false, full: true }) +
          formatRun(report, { colour: false }) +
          formatCase(result, dossier, { colour: false });
        // Ids and commands are there to be copied: they are never broken.
        const broken = tooWide(text).filter(
          (line) => line.trim() !== plainLine(finding) && !/^ +see it: /.test(line),
        );
        return broken.length === 0 && !control.test(text.replaceAll('\n', ''));
      }),
      { numRuns: 60 },
    );
    t.pass();
  },
);

t.test('more scenarios than fit go on in a further block', async (t) => {
  const report = sampleReport(0.05);
  const first = given(report.cases[0]);
  const cases = Array.from({ length: 120 }, (_, index) => ({
    ...first,
    scenario: `scenario-${index}`,
    case: `case-${index}`,
  }));
  const planned = cases.map((result) => ({
    case: result.case,
    kernel: given(result.kernel).spec,
    scenario: result.scenario,
  }));
  const text = formatRun(
    { ...report, cases, run: { ...report.run, planned, leftOut: [] } },
    { colour: false, full: true },
  );
  t.same(tooWide(text), []);
  const letters = text
    .split('\n')
    .filter((line) => line.startsWith(first.kernel.release))
    .join('')
    .slice(first.kernel.release.length)
    .replaceAll(/[^P]/g, '');
  t.equal(letters.length, 120);
});

t.test(
  'the matrix tells ended, planned and left out cases apart, and its counts add up',
  async (t) => {
    const report = sampleReport(0.5);
    const cells = layMatrix(report.run, report.cases.slice(1)).rows.flatMap((row) => row.cells);
    const count = (kind: string) => cells.filter((cell) => cell.kind === kind).length;
    t.equal(count('ended'), report.cases.length - 1);
    t.equal(count('planned'), 1);
    t.equal(count('left-out'), report.run.leftOut.length);
    t.equal(count('absent'), 0);
  },
);

t.test('scenarios come in the order of the matrix, whatever was left out', async (t) => {
  const report = sampleReport(0.3);
  const { scenarios } = layMatrix(report.run, report.cases);
  const order = report.run.scenarios.map(({ name }) => name);
  t.same(
    scenarios,
    order.filter((name) => scenarios.includes(name)),
  );
});

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

t.test('the summary says what came of the run, and what was not run', async (t) => {
  const report = sampleReport(1);
  t.equal(
    summaryLine(report),
    '330 cases: 4 fail, 1 crash, 1 hang, 1 error, 6 known, 317 pass · 3 new findings, 1 known issue (1 finding) · 9 min 41 s',
  );
  t.match(summaryLine({ ...report, cases: report.cases.slice(30) }), '30 not run');
});

t.test('every report says what could not be witnessed', async (t) => {
  const text = formatRun(sampleReport(0.05), { colour: false }).replaceAll('\n', ' ');
  t.match(text, 'TLB conflict aborts');
  t.match(text, 'missing TLB invalidations');
});

t.test('a case shows verdict, composition, findings and how to boot it again', async (t) => {
  const report = sampleReport(1);
  const result = report.cases.find(({ verdict }) => verdict === 'fail');
  const dossier = report.dossiers.get(result?.case ?? '');
  if (result === undefined || dossier === undefined)
    throw new Error('the sample has a failing case');
  const text = formatCase(result, dossier, { colour: false });
  t.same(tooWide(text), []);
  t.match(text, /init predicted +\S+ +28 /);
  t.match(text, /init actual +\S+ +20 /);
  t.match(text, 'init: 1 stretch of leaves differ');
  t.match(text, mismatch.title);
  t.match(text, `sh results/run/cases/${result.case}/repro.sh`);
  t.match(text, 'force_pte_mapping()');
});

t.test('a prediction shows decisions, derivation and every run', async (t) => {
  const leaves = layout({ large: true, kfence: false, imageAt: 2 ** 21, hole: false });
  const text = formatPrediction(
    {
      generation: '7.3',
      newerThanKnown: true,
      derivation,
      decisions,
      linearRegion: { start: 0xfff0_0000_0000_0000n, end: 0xfff8_0000_0000_0000n },
      checkpoints: {
        paging_init: {
          leaves,
          tables: [],
          registers: [],
          variables: { linear_map_requires_bbml3: 0n },
        },
      },
      probes: [{ probe: 'memfd_secret', errno: 38, why: 'can_set_direct_map() is false.' }],
      complaints: [],
      rsi: [],
    },
    { kernel: 'debian:7.3.4', scenario: 'max', granule: 4096 },
    { colour: false },
  );
  t.same(tooWide(text), []);
  t.match(text, 'newer than every generation');
  t.match(text, /memfd_secret +errno 38/);
  for (const run of leaves) t.match(text, `0x${run.va.toString(16)}`);
  for (const step of derivation) t.match(text, step.where);
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

t.test('known issues take a line each, and what is new comes before everything else', async (t) => {
  const report = { ...sampleReport(1), folder: '/tmp/my results' };
  const lines = formatRun(report, { colour: false }).split('\n');
  t.match(lines[0], `NEW ${mismatch.id}`);
  t.ok(
    lines
      .slice(0, 10)
      .some((line) => line.includes('./ptdiff show ') && line.endsWith("--out '/tmp/my results'")),
  );
  t.ok(lines.slice(0, 10).some((line) => /boot it: +\S/.test(line)));
  t.equal(lines.filter((line) => line.includes('split-before-caps-final')).length, 1);
  t.notOk(
    lines.some((line) => line.includes('splat-warn-split')),
    'what a known issue explains is told on demand',
  );
  t.match(formatRun(report, { colour: false, full: true }), 'splat-warn-split-kernel-leaf-mapping');
});

t.test('an id is never cut, however long, and a pipe wraps nothing', async (t) => {
  const report = sampleReport(1);
  const id = `splat/${'x'.repeat(200)}@init`;
  const cases = report.cases.map((result) => ({
    ...result,
    findings: result.findings.map((finding) => ({ ...finding, id, title: 'word '.repeat(60) })),
  }));
  for (const width of [60, 80, 132]) {
    const text = formatRun({ ...report, cases }, { colour: false, full: true, width });
    t.ok(text.split('\n').some((line) => line.endsWith(id)));
    t.same(
      text
        .split('\n')
        .filter(
          (line) => line.length > width && !line.endsWith(id) && !/^ +(?:see|boot) it: /.test(line),
        ),
      [],
      `${width} columns`,
    );
  }
  const piped = formatRun({ ...report, cases }, { colour: false, width: Number.POSITIVE_INFINITY });
  t.ok(piped.split('\n').some((line) => line.includes('word '.repeat(60).trim())));
});

t.test('all reports count findings in one way', async (t) => {
  const report = sampleReport(1);
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

t.test('decisions bear names of the kernel, and captured is only what was captured', async (t) => {
  const report = sampleReport(0.05);
  const result = given(report.cases[0]);
  const symbols = { generation: '7.3', rodata_full: '1', 'predicted force_pte_mapping': 'true' };
  const dossier = { case: result.case, drawings: [], derivation, decisions };
  const text = formatCase({ ...result, symbols }, dossier, { colour: false });
  t.match(text, /can_set_direct_map\(\), map_mem\(\) +yes/);
  t.notMatch(text, /canSetDirectMap|forcePteMapping/);
  t.match(text, /Captured from the kernel\n {2}rodata_full +1\n\n/);
});
