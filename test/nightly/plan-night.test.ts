// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import {
  type Candidate,
  coveredSince,
  type NightInput,
  planNight,
} from '../../src/nightly/plan-night.ts';
import { watchesOf } from '../../src/nightly/watches.ts';
import { given } from '../given.ts';
import { look } from '../history/look.ts';

/** A case of tonight on a kernel that is named as look() hashes it. */
function candidate(
  release: string,
  scenario: string,
  depth: Candidate['depth'] = 'full',
): Candidate {
  return {
    case: `${release}@${scenario}`,
    watch: 'debian:7.3',
    kernel: `${release} arm64`,
    scenario: { name: scenario, hash: `hash of ${scenario}` },
    depth,
  };
}

const everyone = { everOf: () => ['debian:7.3'], nowOf: () => ['debian:7.3'] };
const common = { watches: everyone, emulator: 'e1', nights: 3 };
const shown = (input: NightInput) =>
  planNight(input).map(({ candidate: { case: name }, reason }) => `${reason} ${name}`);

t.test(
  'what changed comes first, then what was never run, then errors, then whose turn it is',
  async (t) => {
    const looks = [
      look({ release: '7.3.3', day: 1, scenario: 'a' }),
      look({ release: '7.3.4', day: 2, scenario: 'c', end: 'error' }),
      look({ release: '7.3.4', day: 3, scenario: 'e' }),
      look({ release: '7.3.4', day: 2, scenario: 'f' }),
      look({ release: '7.3.4', day: 2, scenario: 'g', end: 'hang' }),
    ];
    const candidates = ['e', 'f', 'g', 'b', 'c', 'a'].map((scenario) =>
      candidate('7.3.4', scenario),
    );
    t.same(shown({ ...common, candidates, looks }), [
      'changed 7.3.4@a',
      'never-run 7.3.4@b',
      'error 7.3.4@c',
      'due 7.3.4@f',
      'due 7.3.4@g',
    ]);
    t.same(
      shown({
        ...common,
        candidates,
        looks,
        watches: watchesOf([], [{ watch: 'debian:7.3', sha256: '7.3.4 arm64' }]),
      })[0],
      'never-run 7.3.4@b',
      'the kernel of another watch is nothing that changed',
    );
    t.same(
      shown({ ...common, candidates, looks: [] }).length,
      candidates.length,
      'the first night runs everything',
    );
  },
);

t.test('another scenario of the same name, or another emulator, is a change', async (t) => {
  const looks = [
    look({ release: '7.3.4', day: 1, scenario: 'a', hash: 'old' }),
    look({ release: '7.3.4', day: 1, scenario: 'b' }),
  ];
  const candidates = [candidate('7.3.4', 'a'), candidate('7.3.4', 'b')];
  t.same(shown({ ...common, candidates, looks }), ['changed 7.3.4@a', 'due 7.3.4@b']);
  t.same(shown({ ...common, candidates, looks, emulator: 'e2' }), [
    'changed 7.3.4@a',
    'changed 7.3.4@b',
  ]);
});

t.test(
  'an error after a good look is tried again, and a good look after an error heals it',
  async (t) => {
    const good = look({ release: '7.3.4', day: 1, scenario: 'a' });
    const bad = look({ release: '7.3.4', day: 2, scenario: 'a', end: 'error' });
    const better = look({ release: '7.3.4', day: 3, scenario: 'a' });
    const candidates = [candidate('7.3.4', 'a')];
    t.same(shown({ ...common, candidates, looks: [good, bad] }), ['error 7.3.4@a']);
    t.same(shown({ ...common, candidates, looks: [good, bad, better] }), ['due 7.3.4@a']);
    t.equal(
      coveredSince({ ...common, candidates, looks: [good, bad] }, good.run.started).length,
      1,
    );
    t.equal(
      coveredSince({ ...common, candidates, looks: [good, bad] }, bad.run.started).length,
      0,
      'an error covers nothing',
    );
  },
);

t.test(
  'a branch that goes back to an earlier kernel has changed, whatever another watch does with its kernel',
  async (t) => {
    const looks = [
      look({ release: '7.3.3', day: 1, scenario: 'a' }),
      look({ release: '7.3.4', day: 2, scenario: 'a' }),
      look({ release: '7.3.3', day: 3, scenario: 'b' }),
    ];
    const candidates = [candidate('7.3.3', 'a'), candidate('7.3.3', 'b')];
    const both = ['7.3.3 arm64', '7.3.4 arm64'].map((sha256) => ({ watch: 'debian:7.3', sha256 }));
    const watches = watchesOf(both, [given(both[0])]);
    t.same(shown({ ...common, candidates, looks, watches, nights: 1 }), [
      'changed 7.3.3@a',
      'due 7.3.3@b',
    ]);
    const other = { watch: 'sid arm64', sha256: '7.3.4 arm64' };
    t.same(
      shown({
        ...common,
        candidates,
        looks,
        watches: watchesOf(both, [given(both[0]), other]),
        nights: 1,
      }),
      ['due 7.3.3@a', 'due 7.3.3@b'],
      'looks at a kernel that another watch has now are none of this one',
    );
  },
);

/** Plays nights one after another; each has time for `room` cases. */
function play(
  nights: number,
  days: number,
  room: (day: number) => number,
  kernelOf: (day: number) => string,
) {
  const scenarios = Array.from({ length: 11 }, (_, index) => `s${index}`);
  const looks: ReturnType<typeof look>[] = [];
  const ran: string[][] = [];
  for (let day = 1; day <= days; day++) {
    const candidates = scenarios.map((scenario) => candidate(kernelOf(day), scenario));
    const choices = planNight({ ...common, candidates, looks, nights }).slice(0, room(day));
    ran.push(choices.map((choice) => choice.candidate.case));
    looks.push(
      ...choices.map(({ candidate: each }) =>
        look({ release: kernelOf(day), day, scenario: each.scenario.name }),
      ),
    );
  }
  return { ran, looks, scenarios };
}

t.test('with time enough, every case is looked at in each row of N nights', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), (nights) => {
      const { ran, scenarios } = play(
        nights,
        28,
        () => 11,
        () => '7.3.4',
      );
      for (let from = 0; from + nights <= ran.length; from++) {
        const seen = new Set(ran.slice(from, from + nights).flat());
        t.equal(seen.size, scenarios.length);
      }
      for (const night of ran.slice(1))
        t.ok(night.length <= Math.ceil(scenarios.length / nights), 'and no more than needed');
    }),
  );
});

t.test(
  'with too little time nothing is forgotten: it takes more nights, and no case is run twice before all were once',
  async () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 28, maxLength: 28 }),
        (rooms) => {
          const { ran, looks, scenarios } = play(
            2,
            28,
            (day) => given(rooms[day - 1]),
            () => '7.3.4',
          );
          const order = ran.flat();
          const firsts = order.slice(0, scenarios.length);
          t.equal(new Set(firsts).size, firsts.length);
          t.equal(looks.length, order.length);
        },
      ),
    );
  },
);

t.test('a new kernel comes before the rotation, whatever is left of the old one', async () => {
  const { ran } = play(
    7,
    10,
    () => 4,
    (day) => (day < 6 ? '7.3.4' : '7.3.5'),
  );
  t.same(
    [5, 6, 7].map((night) => given(ran[night]).length),
    [4, 4, 4],
  );
  t.equal(
    new Set(ran.slice(5, 8).flat()).size,
    11,
    'all of it in three nights, in which it was not run twice',
  );
});

t.test(
  'an early look is none at a case that is booted in full, the other way round it is',
  async (t) => {
    const looks = [
      { ...look({ release: '7.3.4', day: 1, scenario: 'a' }), depth: 'early' as const },
      { ...look({ release: '7.3.4', day: 1, scenario: 'b' }), depth: 'early' as const },
      look({ release: '7.3.4', day: 1, scenario: 'c' }),
    ];
    const candidates = [
      candidate('7.3.4', 'a'),
      candidate('7.3.4', 'b', 'early'),
      candidate('7.3.4', 'c', 'early'),
    ];
    const input = { ...common, candidates, looks, nights: 1 };
    t.same(shown(input), ['never-run 7.3.4@a', 'due 7.3.4@b', 'due 7.3.4@c']);
    const covered = coveredSince(input, '2026-11-01');
    t.same(
      covered.map(({ scenario }) => scenario.name),
      ['b', 'c'],
    );
  },
);
