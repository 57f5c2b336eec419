// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { countTap, countTogether } from './count-tap.ts';

const nested = `TAP version 14
# Subtest: group
    ok 1 - first
    not ok 2 - second
    ok 3 - third # SKIP not here
    1..3
not ok 1 - group
ok 2 - alone
1..2
`;

t.test('assertions are counted once, inside or outside of subtests', async (t) => {
  t.match(countTap(nested), { passed: 2, failed: 1, skipped: 1, troubles: { length: 0 } });
});

t.test('a file that ran nothing, or died before its plan, has a trouble', async (t) => {
  t.same(countTap('').troubles, ['ran no test']);
  t.same(countTap('TAP version 14\n1..0\n').troubles, ['ran no test']);
  t.equal(countTap('TAP version 14\nok 1 - a\n').troubles.length, 1);
  t.equal(countTap('TAP version 14\nok 1 - a\n1..2\n').troubles.length, 1);
});

t.test('a subtest that failed without a failed assertion is a trouble', async (t) => {
  const tap = 'TAP version 14\n# Subtest: slow\n    ok 1 - a\n    1..1\nnot ok 1 - slow\n1..1\n';
  t.match(countTap(tap), { passed: 1, failed: 0 });
  t.equal(countTap(tap).troubles.length, 1);
});

t.test('a bail out is a trouble', async (t) => {
  t.equal(countTap('TAP version 14\nok 1 - a\nBail out! no disk\n').troubles.length, 1);
});

const together = `TAP version 14
# Subtest: a.test.ts
    # Subtest: group
        ok 1 - first
        not ok 2 - second
        1..2
    not ok 1 - group
    1..1
not ok 1 - a.test.ts # time=1500ms
# Subtest: b.test.ts
    1..0
ok 2 - b.test.ts
# Subtest: c.test.ts
    ok 1 - alone
    1..2
not ok 3 - c.test.ts
# Subtest: d.test.ts
    ok 1 - alone
`;

t.test('files that share a process are counted each for itself', async (t) => {
  const { ended, begun } = countTogether(together);
  t.match(ended.get('a.test.ts'), { passed: 1, failed: 1, troubles: { length: 0 }, seconds: 1.5 });
  t.same(ended.get('b.test.ts')?.troubles, ['ran no test']);
  t.same(ended.get('c.test.ts')?.troubles, ['failed without a failed assertion']);
  t.same([...ended.keys()], ['a.test.ts', 'b.test.ts', 'c.test.ts'], 'the last did not end');
  t.match(begun, { passed: 1, failed: 0 });
  t.same(countTogether('').ended.size, 0);
});
