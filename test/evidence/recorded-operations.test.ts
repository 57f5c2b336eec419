// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type OpenCall, RecordedOperations } from '../../src/evidence/recorded-operations.ts';

type Open = OpenCall & { parent: Open | undefined };

/** Enters a call by its number, as followRecording() does. */
function enter(operations: RecordedOperations<Open>, cpu: number, number: number): void {
  const parent = operations.innermost(cpu);
  operations.enter(cpu, { call: { number, listed: number, caller: 0n }, args: [], parent });
}

function chain(operations: RecordedOperations<Open>, cpu: number): number[] {
  const numbers: number[] = [];
  for (let each = operations.innermost(cpu); each; each = each.parent)
    numbers.push(each.call.number);
  return numbers;
}

t.test('each task has the calls that it is in, wherever it runs', (t) => {
  const operations = new RecordedOperations<Open>();
  enter(operations, 0, 1);
  enter(operations, 0, 2);
  // Before its first switch the recorder knows no task by its address.
  operations.switch(0, 0xa00n, 0xb00n);
  t.same(chain(operations, 0), []);
  enter(operations, 0, 3);
  operations.switch(1, 0xc00n, 0xa00n);
  t.same(chain(operations, 1), [2, 1]);
  operations.leave(1);
  t.same(chain(operations, 1), [1]);
  t.same(chain(operations, 0), [3]);
  t.equal(operations.open, 2);
  t.end();
});

t.test('what an exception does is not done by what it interrupted', (t) => {
  const operations = new RecordedOperations<Open>();
  enter(operations, 0, 1);
  operations.mark(0);
  t.same(chain(operations, 0), []);
  enter(operations, 0, 2);
  operations.mark(0);
  operations.unmark(0);
  t.same(chain(operations, 0), [2]);
  // What the handler left open ends with it.
  operations.unmark(0);
  t.same(chain(operations, 0), [1]);
  t.equal(operations.open, 1);
  t.end();
});
