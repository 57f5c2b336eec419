// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { kstrtobool, kstrtoull, simple_strtoull } from '../../src/linux/kstrtox.ts';
import { parseRelease } from '../../src/linux/release.ts';

const [old, late] = [parseRelease('6.12.117'), parseRelease('7.3.4')];

t.test('a number of 64 bits is read back from every base, with anything behind it', async (t) => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 2n ** 64n - 1n),
      fc.stringMatching(/^([g-zG-Z@,:-].{0,8})?$/),
      (value, behind) => {
        for (const text of [
          `${value}`,
          `0x${value.toString(16)}`,
          `0X${value.toString(16)}`,
          `0${value.toString(8)}`,
        ]) {
          t.same(simple_strtoull(text + behind, late), {
            value,
            length: text.length,
            overflow: false,
          });
          t.equal(kstrtoull(text, late), value);
          t.equal(kstrtoull(`+${text}`, late), value);
          t.equal(
            kstrtoull(text + behind, late),
            behind === '' ? value : undefined,
            'the whole text, or nothing',
          );
          t.equal(kstrtoull(`-${text}`, late), undefined);
        }
      },
    ),
  );
});

t.test('beyond 64 bits a number wraps up to 7.1, and is the largest since', async (t) => {
  fc.assert(
    fc.property(fc.bigInt(2n ** 64n, 2n ** 90n), (value) => {
      t.equal(simple_strtoull(`${value}`, old).value, BigInt.asUintN(64, value));
      t.equal(simple_strtoull(`${value}`, late).value, 2n ** 64n - 1n);
      t.equal(kstrtoull(`${value}`, old), undefined);
      t.equal(kstrtoull(`${value}`, late), undefined);
    }),
  );
});

t.test('no number, no value', async (t) => {
  for (const text of ['', '+', '-', '++1', '0x', ' 1', '1 ', 'x', '09'])
    t.equal(kstrtoull(text, late), undefined, text);
});

t.test('booleans are told by their first letter', async (t) => {
  const [yes, no] = [
    ['y', 'Y', 'yes', 't', 'True', '1', '12', 'on', 'ON', 'oNx'],
    ['n', 'N', 'f', 'F', '0', '00', 'of', 'off', 'OFF'],
  ];
  for (const release of [old, late]) {
    for (const text of yes) t.equal(kstrtobool(text, release), true, text);
    for (const text of no) t.equal(kstrtobool(text, release), false, text);
    for (const text of ['', 'o', '2', 'maybe', ' 1', '-1'])
      t.equal(kstrtobool(text, release), undefined, text);
  }
  t.same([kstrtobool('enabled', late), kstrtobool('Disabled', late)], [true, false]);
  t.same([kstrtobool('enabled', old), kstrtobool('Disabled', old)], [undefined, undefined]);
});
