// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { describeBudget } from '../../src/report/budget.ts';
import { describeEarly } from '../../src/report/early.ts';
import { formatHtml } from '../../src/report/html/page.ts';
import { formatRun } from '../../src/report/terminal.ts';
import { sampleReport } from './sample-run.ts';

const sample = sampleReport(0.1);
const asked = { ...sample.run.asked, budget: 180 };
const within = { ...sample, run: { ...sample.run, asked }, cases: sample.cases.slice(0, 2) };
const left = sample.run.planned.length - 2;

t.test('what the time did not suffice for is named, on the terminal and on the page', async (t) => {
  const [sentence = ''] = describeBudget(within, { full: true });
  const begun = new Set(within.cases.map((result) => result.case));
  const missing = sample.run.planned.filter((each) => !begun.has(each.case));
  t.equal(missing.length, left);
  for (const { case: name } of missing) t.ok(sentence.includes(name), name);
  const text = formatRun(within, { colour: false }).replaceAll(/\s+/g, ' ');
  t.match(text, new RegExp(`The budget of 3 min( 00 s)? left out ${left} cases`));
  t.match(formatHtml(within), /<h3>Not run<\/h3>/);
});

t.test(
  'nothing is said where it sufficed, where there was none, and while a run goes on',
  async (t) => {
    t.same(describeBudget({ ...within, cases: sample.cases }, { full: true }), []);
    t.same(describeBudget({ ...sample, cases: [] }, { full: true }), []);
    const { ended: _, ...unended } = within.run;
    t.same(describeBudget({ ...within, run: unended }, { full: true }), []);
  },
);

t.test('what early cases did not look at is told by others, or is said', async (t) => {
  const [first, second, ...others] = sample.run.planned;
  if (!first || !second) throw new Error('the sample has cases');
  const early = (toldBy?: string) => ({
    planned: [
      {
        ...first,
        depth: 'early' as const,
        notLookedAt: [{ what: 'mark_rodata_ro()', ...(toldBy !== undefined && { toldBy }) }],
      },
      second,
      ...others,
    ],
  });
  t.same(describeEarly(sample.run), []);
  t.match(describeEarly(early(second.case)), [/^1 case of \d+ ended early.*is told by cases/]);
  t.match(describeEarly(early()), [
    /Nobody looked at what comes later: mark_rodata_ro\(\) \(1 case\)/,
  ]);
});
