// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import type { CaseResult } from '../../src/diff/types.ts';
import { usualWidth } from '../../src/report/colour.ts';
import { plainLine } from '../../src/report/plain-text.ts';
import { formatRun, summaryLine } from '../../src/report/terminal.ts';
import { formatCase } from '../../src/report/terminal-case.ts';
import { formatPrediction } from '../../src/report/terminal-prediction.ts';
import type { Report } from '../../src/report/types.ts';
import { anyCharacter } from '../any-character.ts';
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
  fc.string({ unit: anyCharacter, maxLength: 200 }),
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
