// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { partitionPoint } from '../src/partition-point.ts';

t.test(
  'the first element that does not come before a value, as a search one by one finds it',
  (t) => {
    const property = fc.property(
      fc.array(fc.nat(40), { maxLength: 30 }),
      fc.nat(41),
      (all, value) => {
        const list = all.sort((a, b) => a - b);
        const first = list.findIndex((each) => each >= value);
        return partitionPoint(list, (each) => each < value) === (first < 0 ? list.length : first);
      },
    );
    fc.assert(property);
    t.equal(
      partitionPoint([], () => true),
      0,
    );
    t.end();
  },
);
