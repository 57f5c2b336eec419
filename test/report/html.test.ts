// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { formatHtml } from '../../src/report/html/page.ts';
import type { Report } from '../../src/report/types.ts';
import { anyCharacter } from '../any-character.ts';
import { given } from '../given.ts';
import { attribute, parseStrictly, textOf } from './html-tree.ts';
import { sampleReport } from './sample-run.ts';

t.test('the page is well-formed, and every link and every drawing leads somewhere', async (t) => {
  const report = sampleReport(0.2);
  const { elements, errors } = parseStrictly(formatHtml(report));
  t.same(errors, []);
  const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
  t.equal(new Set(ids).size, ids.length, 'ids are unique');
  const targets = elements
    .flatMap((element) => attribute(element, 'href') ?? [])
    .filter((href) => href.startsWith('#'));
  t.ok(targets.length > report.cases.length);
  t.same(
    targets.filter((href) => !ids.includes(href.slice(1))),
    [],
  );
});

t.test('nothing is loaded from elsewhere, and only the one script of the page runs', async (t) => {
  const { elements } = parseStrictly(formatHtml(sampleReport(0.1)));
  t.same(
    elements.filter(
      (element) => attribute(element, 'src') !== undefined || element.tagName === 'link',
    ),
    [],
  );
  t.equal(elements.filter(({ tagName }) => tagName === 'script').length, 1);
});

t.test('the matrix has a cell for every case, and the badges count them', async (t) => {
  const report = sampleReport(0.15);
  const { elements } = parseStrictly(formatHtml(report));
  const cells = elements.filter(
    ({ tagName, attrs }) => tagName === 'td' && attrs.some(({ value }) => value.startsWith('v-')),
  );
  t.equal(cells.length, report.cases.length);
  const badges = elements.find((element) => attribute(element, 'class') === 'badges');
  const numbers =
    badges === undefined
      ? []
      : [...textOf(badges).matchAll(/\d+/g)].map(([number]) => Number(number));
  t.equal(
    numbers.reduce((sum, number) => sum + number, 0),
    report.cases.length,
  );
});

function withGuestText(text: string): Report {
  const report = sampleReport(0.02);
  const result = given(report.cases[0]);
  const dossier = report.dossiers.get(result.case);
  result.verdict = 'crash';
  result.reason = text;
  result.kernel.release = text;
  result.symbols = { [text]: text };
  result.findings = [{ id: text, kind: 'splat', title: text, detail: text, known: text }];
  if (dossier !== undefined) dossier.consoleTail = text;
  return { ...report, cases: [result] };
}

t.test('text of a guest stays text', async (t) => {
  const hostile =
    '</pre><script>alert(1)</script><img src=x onerror="alert(2)">\u001b[31m\u0000\u202e';
  const { elements, errors } = parseStrictly(formatHtml(withGuestText(hostile)));
  t.same(errors, []);
  t.equal(elements.filter(({ tagName }) => tagName === 'script').length, 1);
  t.equal(elements.filter(({ tagName }) => tagName === 'img').length, 0);
  t.ok(
    elements.some(
      (element) =>
        element.tagName === 'pre' && textOf(element).includes('<script>alert(1)</script>'),
    ),
    'it is shown as it is',
  );
});

t.test('any text leaves the page well-formed', async (t) => {
  const unit = fc.oneof(
    fc.string({ unit: anyCharacter, maxLength: 30 }),
    fc.constantFrom('<', '"', "'", '&', '\u001b]', '\ud800', '\u0085', ']]>'),
  );
  const text = fc.array(unit, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (guest) => {
      const { errors } = parseStrictly(formatHtml(withGuestText(guest)));
      return errors.length === 0;
    }),
    { numRuns: 25 },
  );
  t.pass();
});

t.test('a link is made of a reference only where it is an https address', async (t) => {
  const full = sampleReport();
  const report = { ...full, cases: full.cases.filter(({ verdict }) => verdict === 'known') };
  given(report.knownIssues[0]).references.push('javascript:alert(1)');
  const { elements } = parseStrictly(formatHtml(report));
  const links = elements
    .filter(({ tagName }) => tagName === 'a')
    .map((element) => attribute(element, 'href') ?? '');
  t.ok(links.includes('https://lore.kernel.org/linux-arm-kernel/'));
  t.notOk(links.some((href) => href.startsWith('javascript:')));
});

t.test(
  'hundreds of cases stay below ten megabytes, and the worst verdicts keep their pictures',
  async (t) => {
    const report = sampleReport(1);
    const copies = [0, 1, 2].flatMap((copy) =>
      report.cases.map((result) => ({
        ...result,
        case: `${result.case}-${copy}`,
        scenario: `${result.scenario}-${copy}`,
      })),
    );
    for (const { case: name } of copies) {
      const original = report.dossiers.get(name.slice(0, -2));
      if (original !== undefined) report.dossiers.set(name, { ...original, case: name });
    }
    const page = formatHtml({ ...report, cases: copies });
    t.ok(page.length < 10_000_000, `${page.length} characters for ${copies.length} cases`);
    t.match(page, 'Not drawn, to keep this page small');
    const failed = page.slice(page.indexOf('<details class="case v-fail">'));
    t.match(failed.slice(0, failed.indexOf('End of the console')), '<figure');
  },
);

t.test('a run without a single ended case has a page', async (t) => {
  const report = sampleReport(0.1);
  const { errors } = parseStrictly(formatHtml({ ...report, cases: [], dossiers: new Map() }));
  t.same(errors, []);
});

t.test('a run without findings does not claim more than its verdicts', async (t) => {
  const report = sampleReport(1);
  const headline = (cases: Report['cases']) => {
    const { elements } = parseStrictly(formatHtml({ ...report, cases, dossiers: new Map() }));
    return elements.filter(({ tagName }) => tagName === 'h1').map(textOf);
  };
  const silent = report.cases.filter(({ findings }) => findings.length === 0);
  t.same(headline(silent), ['No finding, but 1 case did not complete.']);
  const passed = silent.filter(({ verdict }) => verdict === 'pass');
  t.same(headline(passed), ['Nothing found: evidence and prediction agree in 317 cases.']);
});
