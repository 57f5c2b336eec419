// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { findCommand } from '../../host/host-tools.ts';
import { readRecording } from '../../results/recording-file.ts';
import { followRecording } from '../../src/evidence/follow-recording.ts';
import { formatHtml } from '../../src/report/html/page.ts';
import { type RecordedChanges, recordedChanges } from '../../src/report/recorded-changes.ts';
import { timelineOf } from '../../src/report/timeline.ts';
import { goldenCase } from '../compare/golden-case.ts';
import { given } from '../given.ts';
import { attribute, parseStrictly, textOf } from './html-tree.ts';
import { sampleReport } from './sample-run.ts';

// A boot of debian:6.12 (6.12.117+deb13-arm64) in the scenario max, up to paging_init.
const recording = given(readRecording(join(import.meta.dirname, 'fixtures', 'recording')));
// The registers of this CPU with 4K pages.
const evidence = given(goldenCase('7.3.4+deb13-arm64@max+noalias').evidence);

t.test('a recording is cut into slices, and nothing of it is lost', (t) => {
  const changes = given(recordedChanges(recording, evidence));
  t.equal(changes.instants.at(-1)?.checkpoint, 'paging_init');
  t.ok(changes.instants.length > 10);
  const times = changes.instants.map(({ time }) => time);
  t.same(
    times,
    [...times].sort((one, other) => one - other),
  );
  const sums = new Map(
    changes.rows.map(({ by, deeds }) => [
      by,
      deeds.reduce(
        (sum, { counts }) => sum.map((count, kind) => count + given(counts[kind])),
        [0, 0, 0, 0, 0, 0],
      ),
    ]),
  );
  const [whole] = timelineOf(recording);
  for (const { by, ...deed } of given(whole).deeds)
    t.same(sums.get(by), Object.values(deed), `the slices of ${by} are what the timeline has`);
  t.equal(changes.more, 0);
  t.end();
});

t.test('a slice tells where in the linear map it changed entries', (t) => {
  const changes = given(recordedChanges(recording, evidence));
  const mapped = given(changes.rows.find(({ by }) => by.endsWith('paging_init <- setup_arch')));
  t.same(mapped.areas, ['Linear mapping']);
  const stretches = mapped.deeds.flatMap(({ where }) => where);
  // 1 GiB of memory, whatever its tables span.
  t.equal(
    stretches.reduce((sum, [from, to]) => sum + to - from, 0),
    2 ** 18,
  );
  const patched = given(changes.rows.find(({ by }) => by.startsWith('__set_fixmap')));
  t.same(
    [patched.areas, patched.deeds.every(({ where }) => where.length === 0)],
    [['Fixmap'], true],
  );
  const { reader } = followRecording(recording, {});
  t.ok(reader.time >= given(changes.instants.at(-1)).time);
  t.end();
});

t.test('without a checkpoint nothing tells what addresses mean', (t) => {
  t.equal(recordedChanges(recording, { captures: [] }), undefined);
  t.end();
});

/** A page whose first case has these changes, of memory that its map shows. */
function pageWith(by: string): string {
  const report = sampleReport(0.02);
  const [result] = report.cases;
  const dossier = given(report.dossiers.get(given(result).case));
  const region = given(dossier.drawings.at(-1)).linearRegion.start;
  const first = given(given(dossier.drawings.at(-1)).actual[0]).va;
  const at = Number((first - region) / 4096n);
  const changes: RecordedChanges = {
    instants: [
      { time: 1_000_000, checkpoint: 'paging_init' },
      { time: 2_500_000 },
      { time: 3_000_000, checkpoint: 'init' },
    ],
    rows: [
      {
        by,
        areas: ['Linear mapping'],
        deeds: [
          { slice: 0, counts: [5000, 0, 0, 0, 0, 0], where: [[at, at + 512]] },
          { slice: 2, counts: [7, 1, 0, 0, 0, 2], where: [[at + 64, at + 65]] },
        ],
      },
      { by: 'early', areas: [], deeds: [{ slice: 0, counts: [1, 0, 0, 0, 0, 0], where: [] }] },
    ],
    more: 3,
  };
  dossier.changes = () => changes;
  return formatHtml(report);
}

const hostile = 'set_memory_ro <- <script>alert(1)</script>';

t.test('the report shows the whole boot without its script', (t) => {
  const { elements, errors } = parseStrictly(pageWith(hostile));
  t.same(errors, []);
  const rows = elements.filter((each) => attribute(each, 'data-deeds') !== undefined);
  t.same(
    rows.map((row) => textOf(row)),
    [`${hostile}Linear mapping5,00712`, 'early1'],
  );
  const box = given(elements.find((each) => attribute(each, 'class') === 'changes'));
  t.equal(attribute(box, 'data-instants'), '1000000 paging_init;2500000;3000000 init');
  t.match(textOf(box), /3 more that did less are left out/);
  t.end();
});

const names = ['chromium', 'chromium-browser', 'google-chrome'];
const browser = (await Promise.all(names.map((name) => findCommand(name)))).find(
  (path) => path !== undefined,
);
// What was not looked at must be seen, as in site-browser.test.ts.
const options =
  browser === undefined
    ? { skip: 'NOT CHECKED: no Chromium on this host to show the page in' }
    : {};

t.test('the script sums up what is between two instants', options, async (t) => {
  const folder = t.testdir();
  const steps = `
    for (const each of document.querySelectorAll('details')) each.open = true;
    addEventListener('load', () => setTimeout(() => {
      [...document.querySelectorAll('.instants button')].find(({ textContent }) => textContent === 'up to init').click();
      document.title = [document.querySelector('.when').textContent,
        ...[...document.querySelectorAll('tr[data-deeds]')].map((row) => row.hidden ? 'hidden' : row.textContent)].join('|');
    }, 100));`;
  const page = pageWith(hostile).replace('</body>', `<script>${steps}</script></body>`);
  writeFileSync(join(folder, 'page.html'), page);
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=5000'];
  const { stdout, stderr } = await execa(
    browser ?? '',
    [
      ...flags,
      '--enable-logging=stderr',
      '--host-resolver-rules=MAP * ~NOTFOUND',
      `--user-data-dir=${join(folder, 'profile')}`,
      '--dump-dom',
      pathToFileURL(join(folder, 'page.html')).href,
    ],
    { reject: false, timeout: 120_000 },
  );
  t.notMatch(stderr, 'CONSOLE', 'no complaint of the page');
  const [, title = ''] = /<title>(.*?)<\/title>/.exec(stdout) ?? [];
  t.equal(
    title.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
    `From 1.00 s (paging_init) to 3.00 s (init)|${hostile}Linear mapping712|hidden`,
  );
});
