// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { NightSummary } from '../../src/nightly/summary.ts';
import { hasErrors } from '../../src/nightly/summary.ts';
import { formatNight, nightHeadline } from '../../src/report/terminal-night.ts';

const none = { planned: 0, run: 0 };
const finding = (id: string) => ({ watch: 'debian:7.3', id, cases: ['7.3.4@max'] });

function night(parts: Partial<NightSummary> = {}): NightSummary {
  return {
    started: '2026-11-22T01:00:00.000Z',
    ended: '2026-11-22T02:30:00.000Z',
    judgement: {
      fresh: [],
      flaky: [],
      unconfirmed: [],
      still: [],
      known: ['a', 'b', 'c', 'a'].map(finding),
      gone: [],
    },
    cases: 1204,
    errors: [],
    unavailable: [],
    newKernels: [],
    plan: { changed: { planned: 1300, run: 1204 }, 'never-run': none, error: none, due: none },
    coverage: {
      nights: 7,
      total: 1300,
      covered: 1204,
      missing: ['7.3.4@max'],
      lastFull: '2026-11-18T02:00:00.000Z',
    },
    folders: ['/results/first'],
    interrupted: false,
    ...parts,
  };
}

t.test('nothing new is a result too', async (t) => {
  t.equal(nightHeadline(night()), '0 new, 3 known, 1,204 cases, last full coverage 4 days ago');
  t.notOk(hasErrors(night()));
  const text = formatNight(night(), { colour: false });
  t.match(text, 'Run tonight: changed 1204 of 1300; 1 h 30 min.\n');
  t.match(
    text,
    'In the last 7 nights 1,204 of 1,300 cases were looked at; not: 7.3.4@max and 95 more.\n',
  );
  t.ok(text.endsWith('0 new, 3 known, 1,204 cases, last full coverage 4 days ago\n'));
});

t.test(
  'random machines: what they show that is new comes with its command, and how much was seen',
  async (t) => {
    const fresh = {
      finding: 'invariant/write-xor-execute/writable-executable@init',
      kernel: 'debian:7.3',
      machine: 'machine-1',
      again: true,
      file: '/nights/explored/a.yaml',
    };
    const explored = {
      machines: 1234,
      fresh: [fresh],
      flaky: ['splat/once'],
      still: ['mismatch/a', 'mismatch/b'],
      pairs: 5678,
      seen: 0.123,
      folder: '/nights/explored',
    };
    const text = formatNight(night({ explored }), { colour: false, width: 200 });
    t.match(text, `  NEW  ${fresh.finding}\n      on debian:7.3, machine-1\n`);
    t.match(
      text,
      /\.\/ptdiff run --kernel debian:7\.3 [\s\S]*--scenario \/nights\/explored\/a\.yaml\n/,
    );
    t.match(
      text,
      'Random machines: 1,234, 2 findings still there, 1 finding not in a second boot; 5,678 pairs of choices seen together, 12.3 % of those that can be: /nights/explored\n',
    );
    t.match(nightHeadline(night({ explored })), /^1 new, 3 known/);
  },
);

t.test('a night that ran nothing says so, and is an error', async (t) => {
  const nothing = night({ cases: 0, coverage: { nights: 7, total: 0, covered: 0, missing: [] } });
  t.match(nightHeadline(nothing), '0 new, 3 known, RAN NOTHING, no full coverage yet');
  t.ok(hasErrors(nothing));
});

t.test('a new finding comes with its kernel, where it shows and how to go on', async (t) => {
  const id = 'a'.repeat(40);
  const text = formatNight(
    night({
      judgement: {
        fresh: ['x', 'y'].map(finding),
        flaky: [],
        unconfirmed: [],
        still: [],
        known: [],
        gone: [],
      },
      newKernels: [
        {
          watch: 'git:/src@topic',
          release: '7.3.4',
          again: false,
          commit: { id, subject: 'mm: one more' },
        },
        { watch: 'debian:7.3', release: '7.3.3', again: true },
      ],
      lead: { finding: 'x', scenario: 'max', good: 'debian:7.3.3', bad: 'debian:7.3.4', repeat: 3 },
      oldLists: 'The lists are of yesterday.',
    }),
    { colour: false },
  );
  t.match(
    text,
    /^ {2}new kernel {2}7\.3\.4, commit aaaaaaaaaaaa \("mm: one more"\) \(git:\/src@topic\)$/m,
  );
  t.match(text, /^ {2}back to kernel {2}7\.3\.3 \(debian:7\.3\)$/m);
  t.match(text, '  NEW  x\n  NEW  y\n      on debian:7.3: 7.3.4@max\n');
  t.match(
    text.replaceAll(/ \\\n +/g, ' '),
    './ptdiff bisect --good debian:7.3.3 --bad debian:7.3.4 --finding x --scenario max --repeat 3',
  );
  t.match(text, '  old lists  The lists are of yesterday.\n');
  t.match(text, /2 new, 0 known, OLD PACKAGE LISTS, 1,204 cases/);
  t.ok(hasErrors(night({ oldLists: 'old' })), 'what Debian has new tonight was not seen');
});

t.test('a bad night fits one screen too, and hostile text cannot leave its line', async (t) => {
  const many = Array.from({ length: 60 }, (_, index) =>
    finding(`splat/\u001b[2Jlong-${'x'.repeat(200)}-${index}`),
  );
  const bad = night({
    judgement: {
      fresh: many,
      flaky: many,
      unconfirmed: many,
      still: many,
      known: many,
      gone: many,
    },
    errors: Array.from({ length: 60 }, () => ({
      case: '7.3.4@max',
      reason: 'the\nhost was tired',
    })),
    unavailable: [{ spec: 'git:/srv/linux@master', reason: 'it does not build' }],
    interrupted: true,
  });
  const lines = formatNight(bad, { colour: false }).split('\n');
  t.ok(
    lines.every(
      (line) =>
        (line.length <= 100 || /^ {2}.+ {2}splat\/long-x+-\d+$/.test(line)) &&
        !line.includes('\u001b'),
    ),
  );
  t.ok(lines.length < 60, `${lines.length} lines`);
  t.match(
    lines.at(-3),
    /^60 new, 60 known, 60 still there, 60 gone, 60 flaky, 60 not confirmed, 60 errors, 1 kernel not/,
  );
});

t.test('a finding that one host of a farm alone shows is said to be so', async (t) => {
  const id = 'invariant/rule/broken@init';
  const text = formatNight(
    night({
      loneHosts: [
        { id, worker: 'w1', others: ['w2', 'w3'] },
        { id: 'splat/x', worker: 'w\u001b[31m', others: [] },
      ],
    }),
    { colour: false, width: 200 },
  );
  t.match(text, `  one host  ${id}: only on w1; w2 and w3 booted the same without it\n`);
  t.match(text, 'splat/x: only on w');
  t.match(text, '; no other host booted its cases\n');
  t.notMatch(text, '\u001b');
});
