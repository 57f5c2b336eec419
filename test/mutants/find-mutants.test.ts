// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { given, take } from '../given.ts';
import { findMutants, withMutants } from './find-mutants.ts';
import { keyOf, summaryOf, type Tried } from './outcomes.ts';

const source = `
const limit = 3;
function within(value: number, list: readonly number[], why: (text: string) => void): boolean {
  why(\`\${value > 7}\`);
  if (value < limit && !list.includes(9)) return true;
  return list.filter((each) => each !== 0).some((each) => each === value);
}
`;
const mutants = findMutants('a.ts', source, 10);
const shown = mutants.map(({ rule, from, to }) => `${rule}: ${from} => ${to}`);

/** The function of the source with one of its mutants in force. */
function build(active: number): (value: number, list: number[]) => boolean {
  return withSwitch((id) => id === active);
}

function withSwitch(
  inForce: (id: number) => boolean,
  saw = (_always: number, _never: number, _value: unknown): void => {},
): (value: number, list: number[]) => boolean {
  const chooser = {
    ptdiffMutant: inForce,
    ptdiffForced: inForce,
    ptdiffSaw: <T>(value: T, always: number, never: number): T => {
      saw(always, never, value);
      return value;
    },
  };
  const text = withMutants(source, mutants).replace('globalThis.ptdiffSwitch', 'chooser');
  const within = new Function('chooser', `${text}; return within;`)(chooser);
  return (value, list) => within(value, list, () => {});
}

t.test(
  'every comparison, condition, constant, boolean and call has its mutants; words for the reader have none',
  async (t) => {
    t.match(shown, [
      'constant: 3 => 4',
      'condition: value < limit && !list.includes(9) => true',
      'condition: value < limit && !list.includes(9) => false',
      'condition: value < limit => true',
      'condition: value < limit => false',
      'condition: !list.includes(9) => true',
      'condition: !list.includes(9) => false',
      'comparison: value < limit => (value) <= (limit)',
      'comparison: value < limit => (value) >= (limit)',
      'boolean: !list.includes(9) => !!(list.includes(9))',
      'constant: 9 => 10',
      'boolean: true => false',
      /^call: list.filter.* => .*every/,
      'call: list.filter((each) => each !== 0) => (list)',
      'comparison: each !== 0 => (each) === (0)',
      'constant: 0 => 1',
      'comparison: each === value => (each) !== (value)',
    ]);
    t.equal(shown.length, 17);
    t.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
    t.same(
      mutants.filter(({ within }) => within === undefined).map(({ from }) => from),
      ['3'],
      'this one decides when the module is loaded',
    );
  },
);

t.test('an object, a list or a word cannot be made true: it is', async (t) => {
  const text = 'const f = (a, b) => ({ ...(a && { b }), list: b || [], word: b || "no" });';
  const conditions = findMutants('b.ts', text, 0).filter(({ rule }) => rule === 'condition');
  const edits = conditions.map(({ from, to }) => `${from} => ${to}`);
  t.same(edits, [
    'a => true',
    'a => false',
    '{ b } => false',
    'b => true',
    'b => false',
    '[] => false',
    'b => true',
    'b => false',
    '"no" => false',
  ]);
  t.match(withMutants(text, conditions), /ptdiffSaw\(\(\{ b \}\),undefined,2\)/);
});

t.test('one source holds them all, and none is in force until it is chosen', async (t) => {
  const idOf = (words: string) => given(mutants[shown.indexOf(words)]).id;
  t.equal(build(-1)(2, [5]), true);
  t.equal(build(-1)(3, [5]), false);
  t.equal(build(idOf('comparison: value < limit => (value) <= (limit)'))(3, [5]), true);
  t.equal(build(idOf('condition: !list.includes(9) => false'))(2, [5]), false);
  t.equal(build(idOf('call: list.filter((each) => each !== 0) => (list)'))(0, [9, 0]), true);
  t.equal(build(-1)(0, [9, 0]), false);
});

t.test(
  'of a condition it is told what it gave, so that nobody asks for the same again',
  async (t) => {
    const told: string[] = [];
    const run = withSwitch(
      () => false,
      (always, never, value) => {
        const [first, second] = [always, never].map((id) => given(mutants[id - 10]));
        t.same([first?.to, second?.to], ['true', 'false']);
        told.push(`${first?.from}: ${value}`);
      },
    );
    run(3, [5]);
    t.same(told, ['value < limit: false', 'value < limit && !list.includes(9): false']);
  },
);

t.test('what did not run is told apart, and what need not be noticed is counted', async (t) => {
  const [first, second, third] = take(mutants, 3);
  const tried: Tried[] = [
    { mutant: first, ending: { outcome: 'noticed', by: 'a test' } },
    { mutant: second, ending: { outcome: 'did not run', by: 'SyntaxError' } },
    { mutant: third, ending: { outcome: 'survived' } },
  ];
  const text = summaryOf(tried, new Map([[keyOf(third), 'the same either way']]));
  t.match(text, 'all: 3 mutants, 1 noticed, 1 survived, 0 not passed, 1 did not run');
  t.match(text, '1 of those that were not noticed need not be');
});
