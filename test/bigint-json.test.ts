// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { bigintReplacer, bigintReviver, bigintText, reviveBigints } from '../src/bigint-json.ts';
import { stableJson } from '../src/stable-json.ts';

t.test('any bigint comes back from what either writer made of it', async (t) => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 70n), 2n ** 70n), fc.string(), (number, text) => {
      const value = { deep: [{ number }], text: `of ${text}` };
      const written = JSON.stringify(value, bigintReplacer);
      t.same(JSON.parse(written, bigintReviver), value);
      t.same(reviveBigints(JSON.parse(stableJson(value))), value);
      t.equal(bigintText.parse(JSON.parse(written).deep[0].number), number);
    }),
  );
});

t.test('a number is hexadecimal of lower case, with its sign before it', async (t) => {
  t.equal(JSON.stringify([-16n, 0n, 0xfff0n], bigintReplacer), '["-0x10","0x0","0xfff0"]');
});

t.test('other text stays text', async (t) => {
  for (const text of ['', '0x', '0xG', '0X1', '1', '0x1 ', '0x1n', '--0x1']) {
    t.equal(bigintReviver('', text), text);
    t.equal(bigintText.safeParse(text).success, false);
  }
});
