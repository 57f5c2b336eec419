// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import {
  get_option,
  lastBoolean,
  memparse,
  next_arg,
  parse_args,
  valuesOf,
} from '../../src/linux/cmdline.ts';
import { parseRelease } from '../../src/linux/release.ts';

const [old, late] = [parseRelease('6.12.117'), parseRelease('7.3.4')];

const line = [
  'nokaslr',
  'kfence.sample_interval=100',
  'rodata=full',
  'rodata=off',
  'rodata.x=1',
  'rodata_=2',
  'rodata=a=b',
];

t.test('values of a parameter, in order', async (t) => {
  t.same(valuesOf(line, 'rodata'), ['full', 'off', 'a=b']);
  t.same(valuesOf(line, 'nokaslr'), [], 'a word without a value has none');
  t.same(valuesOf(['debug-pagealloc=on', 'debug_pagealloc=off'], 'debug_pagealloc'), ['on', 'off']);
  t.same(valuesOf(line, 'kfence.sample-interval'), ['100']);
});

t.test(
  'quotes are no part of a value, and hold one together; what stands behind -- is for init',
  async (t) => {
    t.same(valuesOf(['rodata="off"', '"rodata=on"'], 'rodata'), ['off', 'on']);
    t.same(
      valuesOf(['x="a', 'rodata=off', 'b"', 'rodata=on'], 'rodata'),
      ['on'],
      'the first is part of the value of x',
    );
    t.same(valuesOf(['x="a', 'rodata=off'], 'rodata'), [], 'a quote that is never closed');
    t.same(valuesOf(['rodata=', '--', 'rodata=off'], 'rodata'), ['']);
    t.same(parse_args('"--" a'), [], 'the quotes of a whole word are gone before it is looked at');
    t.same(parse_args('a --=1 b'), [
      { param: 'a', val: undefined },
      { param: '--', val: '1' },
      { param: 'b', val: undefined },
    ]);
  },
);

t.test('words as next_arg() leaves them, with what is odd about it', async (t) => {
  const word = (text: string) => {
    const { param, val } = next_arg(text);
    return [param, val];
  };
  t.same(word('=a=b'), ['=a', 'b'], "an '=' at the start is none");
  t.same(word('a="'), ['a', '']);
  t.same(word('a="b c"d e'), ['a', 'b c"d'], 'a quote inside stays');
  t.same(word('"a b=c d" e'), ['a b', 'c d']);
  t.same(word('"a="b"'), ['a', 'b']);
  t.equal(next_arg('a   b c').rest, 'b c');
});

t.test('words without quotes come apart at spaces, and at their first =', async (t) => {
  const name = fc.stringMatching(/^[a-z0-9._]{1,8}$/);
  const value = fc.stringMatching(/^[!#-~]{0,12}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.option(value, { nil: undefined }))), (words) => {
      const text = words
        .map(([param, val]) => (val === undefined ? param : `${param}=${val}`))
        .join('  ');
      t.same(
        parse_args(text),
        words.map(([param, val]) => ({ param, val })),
      );
    }),
  );
});

t.test('the last value that kstrtobool() takes', async (t) => {
  t.equal(lastBoolean(['kpti=off', 'kpti=Yes', 'kpti=maybe'], 'kpti', old), true);
  t.equal(lastBoolean(['kpti=1', 'kpti=of'], 'kpti', old), false);
  t.equal(lastBoolean(['kpti=o', 'kpti', 'kpti='], 'kpti', late), undefined);
  t.equal(lastBoolean(['kpti=off', 'kpti=enabled'], 'kpti', late), true);
  t.equal(lastBoolean(['kpti=off', 'kpti=enabled'], 'kpti', old), false, '6.12 does not know it');
});

t.test('sizes with their suffixes, in any base, and what stands behind', async (t) => {
  const powers = { '': 0n, K: 10n, m: 20n, G: 30n, t: 40n, P: 50n, e: 60n };
  const suffix = fc.constantFrom(...Object.keys(powers)) as fc.Arbitrary<keyof typeof powers>;
  const written = fc.constantFrom(
    (value: bigint) => `${value}`,
    (value: bigint) => `0x${value.toString(16)}`,
    (value: bigint) => `0${value.toString(8)}`,
  );
  // A digit or letter behind the number would be part of it.
  const behind = fc.constantFrom('', '@', ',high', ':', '-', ' ', 'z');
  fc.assert(
    fc.property(
      fc.bigInt(1n, 2n ** 64n - 1n),
      written,
      suffix,
      behind,
      (value, write, unit, rest) => {
        // In base 16 an 'e' is a digit.
        fc.pre(unit !== 'e' || !write(value).startsWith('0x'));
        const text = write(value) + unit;
        const exact = value << powers[unit];
        t.equal(memparse(text + rest, old).value, BigInt.asUintN(64, exact));
        t.equal(memparse(text + rest, late).value, exact < 2n ** 64n ? exact : 2n ** 64n - 1n);
        t.equal(memparse(text + rest, late).length, text.length);
      },
    ),
  );
  for (const release of [old, late]) {
    t.match(memparse('0xg', release), { value: 0n, length: 1 }, '0x without a digit is an octal 0');
    t.match(memparse('089', release), { value: 0n, length: 1 }, 'an octal number ends at an 8');
    t.match(memparse('64MB', release), { value: 64n << 20n, length: 3 });
    t.match(memparse('-1', release), { length: 0 });
  }
  t.match(memparse('M', old), { value: 0n, length: 1 }, 'a suffix alone is taken up to 7.1');
  t.match(memparse('M', late), { value: 0n, length: 0 });
});

t.test('an option is an int with anything behind it', async (t) => {
  const cases: [string, number | undefined][] = [
    ['100', 100],
    ['0x64ms', 100],
    ['-5', -5],
    ['+5', undefined],
    ['', undefined],
    ['-', undefined],
    ['abc', undefined],
    ['4294967296', 0],
    ['2147483648', -(2 ** 31)],
    ['08', 0],
  ];
  for (const [text, value] of cases) t.equal(get_option(text, late), value, text);
});
