// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { formatHtml } from '../../src/report/html/page.ts';
import { formatRun } from '../../src/report/terminal.ts';
import { sampleReport } from './sample-run.ts';

const sample = sampleReport(0.1);
const said = /has not fetched debian:7\.2, debian:7\.3 yet/;

t.test(
  'kernels that a run has not fetched are named on the terminal and on the page',
  async (t) => {
    const { ended: _, ...run } = sample.run;
    const cut = { ...sample, run: { ...run, awaited: ['debian:7.2', 'debian:7.3'] } };
    t.match(formatRun(cut, { colour: false }).replaceAll(/\s+/g, ' '), said);
    t.match(formatHtml(cut), said);
    t.notMatch(formatRun(sample, { colour: false }), /has not fetched/);
    t.notMatch(formatHtml(sample), /has not fetched/);
  },
);
