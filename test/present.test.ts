// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PtdiffError } from '../src/errors.ts';
import { first, last, present } from '../src/present.ts';

t.test('what is there is given back, also when it counts as false', async (t) => {
  t.equal(present(0, 'number'), 0);
  t.equal(present(null, 'value'), null);
  t.equal(first(['', 'b']), '');
  t.equal(last(['a', 'b', '']), '');
});

t.test("what is missing is ptdiff's own fault, in a sentence that names it", async (t) => {
  const isOurs = (message: RegExp) => (error: unknown) =>
    t.ok(error instanceof PtdiffError && error.fault === 'harness' && message.test(error.message));
  for (const [ask, message] of [
    [() => present(undefined, 'prediction of CPU 1'), /no prediction of CPU 1 where/],
    [() => first([]), /no first entry of a list where/],
    [() => last([]), /no last entry of a list where/],
  ] as const) {
    try {
      ask();
      t.fail('nothing was thrown');
    } catch (error) {
      isOurs(message)(error);
    }
  }
});
