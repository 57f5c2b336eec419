// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { Conclusion, Trial } from '../../src/bisect/types.ts';
import {
  type BisectionText,
  type CandidateText,
  formatBisection,
  searchBound,
  trialLine,
} from '../../src/report/terminal-bisection.ts';
import { take } from '../given.ts';

const trial = (
  candidate: string,
  stage: Trial['stage'],
  outcome: Trial['outcome'],
  reason?: string,
) => ({
  candidate,
  stage,
  outcome,
  seconds: 4,
  ...(reason !== undefined && { reason }),
});

const trials = [
  trial('c', 'ends', 'present'),
  trial('a', 'ends', 'absent'),
  trial('x', 'search', 'unavailable', 'It does not build: \u001b[31mred\u001b[0m.'),
  trial('b', 'search', 'present'),
  trial('b', 'proof', 'present'),
  trial('a', 'proof', 'absent'),
];

const tally = { present: 0, absent: 0, unusable: 0, unavailable: false };
const found: Conclusion = {
  kind: 'found',
  candidate: 'b',
  proven: true,
  confidence: 0.96,
  witnesses: [
    { candidate: 'b', expected: 'present', holds: true, tally: { ...tally, present: 2 } },
    { candidate: 'a', expected: 'absent', holds: true, tally: { ...tally, absent: 2 } },
  ],
};

function text(conclusion: Conclusion): BisectionText {
  const names = ['a', 'b', 'c', 'x'].map((name): [string, CandidateText] => [
    name,
    {
      name: `commit ${name}`,
      about: [`Author: \u001b]0;${name}\u0007`],
      command: `./ptdiff run --kernel ${name}`,
    },
  ]);
  return {
    task: { old: 'a', new: 'c', signSide: 'new', repeat: 1 },
    sign: { finding: 'invariant/a/b@init' },
    conclusion,
    trials,
    suspects: 5,
    candidates: new Map(names),
  };
}

t.test('the answer, its proof, its commands, its confidence and its cost', async (t) => {
  const page = formatBisection(text(found));
  t.match(page, /The first with the finding invariant\/a\/b@init is\n {2}commit b\n/);
  t.match(page, /commit b: present in 2 of 2 boots/);
  t.match(page, /commit a: absent in 2 of 2 boots/);
  t.match(page, / {2}\.\/ptdiff run --kernel b\n/);
  t.match(page, /Confidence: 96\.0 % .*showed it in 3 of 3\s+boots/s);
  t.match(page, /Skipped: commit x: It does not build: red\./);
  t.match(
    page,
    /Boots: 5: 2 of the ends, 1 to search \(halving 5 suspects takes 3 at most, 1 skipped\), 2 to\s+prove/s,
  );
  t.notOk(
    ['\u001b', '\u0007'].some((character) => page.includes(character)),
    'no control character of a log or a commit reaches the terminal',
  );
  t.ok(page.split('\n').every((line) => line.length <= 100));
});

t.test('what is not proven is not told as if it were', async (t) => {
  const [culprit, before] = take(found.witnesses, 2);
  const { confidence: _, ...rest } = found;
  const unproven = {
    ...rest,
    proven: false,
    witnesses: [
      culprit,
      { ...before, holds: false, tally: { ...tally, unusable: 2, reason: 'It hung.' } },
    ],
  };
  const page = formatBisection(text(unproven));
  t.match(page, /Not proven:/);
  t.match(page, /commit a: absent in 0 of 0 boots \(It hung\.\); this proves nothing/);
  t.match(page, /Confidence: none/);
  t.match(
    formatBisection(text({ kind: 'unclear', candidates: ['x', 'b'] })),
    /is one of these.*commit x\n {2}commit b\n/s,
  );
});

t.test(
  'a line of the progress is as wide as the screen, whatever the subject of a commit',
  async (t) => {
    const wide = trialLine(3, trial('b', 'search', 'absent'), 'x'.repeat(300), 12);
    t.equal(wide.length, 100);
    t.match(wide, /^ {2}3 {2}absent .*… {2}search; 12 suspects left$/);
    t.equal(searchBound(1), 0);
    t.equal(searchBound(12), 4);
  },
);
