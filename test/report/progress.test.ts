// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { wantsColour } from '../../src/report/colour.ts';
import { createProgress, estimateRemaining } from '../../src/report/progress.ts';
import { given } from '../given.ts';
import { sampleReport } from './sample-run.ts';

const { cases } = sampleReport(1);
const passed = {
  ...given(cases[0]),
  case: 'passing',
  verdict: 'pass' as const,
  seconds: 4,
  findings: [],
};
const failed = {
  ...passed,
  case: 'failing',
  verdict: 'fail' as const,
  findings: cases.find(({ verdict }) => verdict === 'fail')?.findings ?? [],
};

t.test('the remaining time is the work left at the mean cost, shared among the jobs', async (t) => {
  t.equal(estimateRemaining({ remaining: 10, jobs: 2, seconds: [], runningFor: [] }), undefined);
  t.equal(estimateRemaining({ remaining: 10, jobs: 2, seconds: [3, 5], runningFor: [] }), 20);
  t.equal(estimateRemaining({ remaining: 10, jobs: 2, seconds: [4], runningFor: [1, 3] }), 18);
  t.equal(estimateRemaining({ remaining: 1, jobs: 8, seconds: [4], runningFor: [1] }), 3);
  t.equal(
    estimateRemaining({ remaining: 1, jobs: 1, seconds: [4], runningFor: [60] }),
    0,
    'a slow case is not negative work',
  );
});

t.test(
  'a terminal gets one line, rewritten in place, and a lasting one for what did not pass',
  async (t) => {
    const progress = createProgress({ live: true, columns: 80, colour: false });
    progress({ kind: 'run-started', at: 0, total: 4, done: 1, jobs: 2 });
    const running = progress({ kind: 'case-started', at: 0, case: 'passing' });
    t.equal(running, '\r\u001b[K1/4 cases · 0.0 s so far · running passing');
    t.equal(
      progress({ kind: 'case-ended', at: 4000, result: passed }),
      '\r\u001b[K2/4 cases · 1 pass · about 4.0 s left',
    );
    const failing = progress({ kind: 'case-ended', at: 5000, result: failed });
    t.equal(
      failing,
      '\r\u001b[K[3/4] F fail   failing  4.0 s  1 finding\n3/4 cases · 1 fail · 1 pass · about 4.0 s left',
    );
    t.equal(progress({ kind: 'run-ended', at: 6000 }), '\r\u001b[K');
  },
);

t.test(
  'no line of a terminal is as wide as the terminal, whatever the case is called',
  async (t) => {
    const progress = createProgress({ live: true, columns: 60, colour: false });
    progress({ kind: 'run-started', at: 0, total: 2, done: 0, jobs: 2 });
    const name = 'x'.repeat(200);
    const output = [
      progress({ kind: 'case-started', at: 0, case: `${name}\u001b[2J` }),
      progress({ kind: 'case-ended', at: 9000, result: { ...failed, case: name, reason: name } }),
    ].join('');
    for (const line of output.replaceAll('\r\u001b[K', '\n').split('\n'))
      t.ok(line.length < 60, line);
    t.notOk(output.includes('\u001b[2J'));
  },
);

t.test('what is said meanwhile stands above the line of a terminal', async (t) => {
  const progress = createProgress({ live: true, columns: 80, colour: false });
  progress({ kind: 'run-started', at: 0, total: 2, done: 0, jobs: 1 });
  t.equal(
    progress({ kind: 'said', at: 1000, text: 'ptdiff: downloading\n' }),
    '\r\u001b[Kptdiff: downloading\n0/2 cases · 1.0 s so far',
  );
  const plain = createProgress({ live: false, columns: 80, colour: false });
  t.equal(plain({ kind: 'said', at: 0, text: 'ptdiff: downloading\n' }), 'ptdiff: downloading\n');
});

t.test('while more cases are to come, the terminal says so, and guesses nothing', async (t) => {
  const progress = createProgress({ live: true, columns: 80, colour: false });
  progress({ kind: 'run-started', at: 0, total: 2, done: 0, open: true, jobs: 1 });
  progress({ kind: 'case-started', at: 0, case: 'passing' });
  t.equal(
    progress({ kind: 'case-ended', at: 4000, result: passed }),
    '\r\u001b[K1/2+ cases · 1 pass · 4.0 s so far',
  );
  t.equal(
    progress({ kind: 'run-planned', at: 6000, total: 5, done: 1, open: false }),
    '\r\u001b[K2/5 cases · 1 pass · about 12 s left',
  );
});

t.test('elsewhere each case that ends gets one plain line, and nothing else', async (t) => {
  const progress = createProgress({ live: false, columns: 80, colour: false });
  t.equal(progress({ kind: 'run-started', at: 0, total: 2, done: 0, jobs: 1 }), '');
  t.equal(progress({ kind: 'case-started', at: 0, case: 'passing' }), '');
  t.equal(progress({ kind: 'tick', at: 10 }), '');
  t.equal(
    progress({ kind: 'case-ended', at: 4000, result: passed }),
    '[1/2] P pass   passing  4.0 s\n',
  );
  t.equal(progress({ kind: 'run-ended', at: 9000 }), '');
});

t.test('colour is for terminals whose user did not refuse it', async (t) => {
  t.equal(wantsColour({ isTTY: true }, {}), true);
  t.equal(wantsColour({ isTTY: true }, { NO_COLOR: '1' }), false);
  t.equal(
    wantsColour({ isTTY: true }, { NO_COLOR: '' }),
    true,
    'an empty NO_COLOR counts as unset',
  );
  t.equal(wantsColour({ isTTY: true }, { TERM: 'dumb' }), false);
  t.equal(wantsColour({}, {}), false);
});
