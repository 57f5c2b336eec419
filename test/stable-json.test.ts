// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { stableJson } from '../src/stable-json.ts';

t.test('the same value gives the same text, whatever the order of its members', async (t) => {
  t.equal(
    stableJson({ b: 1, a: [{ d: true, c: null }] }),
    stableJson({ a: [{ c: null, d: true }], b: 1 }),
  );
  t.equal(stableJson({ b: 1, a: 2 }), '{"a":2,"b":1}');
});

t.test('bigint is hexadecimal, a Map an object, undefined nothing', async (t) => {
  t.equal(
    stableJson({ va: 0xfff0_0000_4000_0000n, none: undefined }),
    '{"va":"0xfff0000040000000"}',
  );
  t.equal(
    stableJson(
      new Map([
        ['b', 1n],
        ['a', 0n],
      ]),
    ),
    '{"a":"0x0","b":"0x1"}',
  );
  t.equal(stableJson([undefined, 1]), '[null,1]');
});

t.test('a name that JavaScript treats specially is a member like any other', async (t) => {
  t.equal(stableJson(JSON.parse('{"__proto__":{"x":1},"a":2}')), '{"__proto__":{"x":1},"a":2}');
});

t.test('what JSON cannot carry is refused', async (t) => {
  t.throws(() => stableJson({ a: Number.NaN }), TypeError);
});
