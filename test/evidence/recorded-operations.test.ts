// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { RecordedOperations } from '../../src/evidence/recorded-operations.ts';

const call = (number: number) => ({ call: { number, listed: number, caller: 0n }, args: [] });
const chain = (operations: RecordedOperations, cpu: number) =>
  operations.chain(cpu).map((open) => open.call.number);

t.test('each task has the calls that it is in, wherever it runs', (t) => {
  const operations = new RecordedOperations();
  operations.enter(0, call(1));
  operations.enter(0, call(2));
  // Before its first switch the recorder knows no task by its address.
  operations.switch(0, 0xa00n, 0xb00n);
  t.same(chain(operations, 0), []);
  operations.enter(0, call(3));
  operations.switch(1, 0xc00n, 0xa00n);
  t.same(chain(operations, 1), [2, 1]);
  operations.leave(1);
  t.same(chain(operations, 1), [1]);
  t.same(chain(operations, 0), [3]);
  t.equal(operations.open, 2);
  t.end();
});

t.test('what an exception does is not done by what it interrupted', (t) => {
  const operations = new RecordedOperations();
  operations.enter(0, call(1));
  operations.mark(0);
  t.same(chain(operations, 0), []);
  operations.enter(0, call(2));
  operations.mark(0);
  operations.unmark(0);
  t.same(chain(operations, 0), [2]);
  // What the handler left open ends with it.
  operations.unmark(0);
  t.same(chain(operations, 0), [1]);
  t.equal(operations.open, 1);
  t.end();
});
