// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { EventBytes, LastValues } from '../../src/evidence/event-bytes.ts';
import { given } from '../given.ts';
import { Events } from './recorded-events.ts';

const most = (1n << 64n) - 1n;

t.test('a value that is told by its change is what it was, whatever came before', (t) => {
  const values = fc.oneof(fc.bigInt(0n, most), fc.constantFrom(0n, 1n, 1n << 32n, most));
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 20 }), (values) => {
      const events = new Events();
      for (const [index, value] of values.entries())
        events.change(value - (values[index - 1] ?? 0n));
      const bytes = new EventBytes();
      bytes.begin(events.bytes);
      const lasts = new LastValues();
      const at = lasts.add(1);
      const read = values.map(() => {
        bytes.change(lasts.halves, at);
        return lasts.big(at);
      });
      t.same(read, values);
      t.ok(bytes.atEnd);
    }),
  );
  t.end();
});

t.test('values keep what they are when there are more of them', (t) => {
  const lasts = new LastValues();
  const places = Array.from({ length: 5000 }, () => lasts.add(1));
  for (const at of places) lasts.halves[at + 1] = at;
  t.equal(lasts.big(lasts.add(20_000) + 39_998), 0n);
  t.equal(lasts.big(given(places.at(-1))), BigInt(given(places.at(-1))) << 32n);
  t.ok(places.every((at) => lasts.halves[at] === 0 && lasts.halves[at + 1] === at));
  t.equal(lasts.big(lasts.add(3)), 0n);
  t.end();
});
