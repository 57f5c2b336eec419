// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { coveredBy, timeTable } from '../../bench/wall-time.ts';
import { workParts } from '../../host/timed.ts';

t.test('what overlaps counts once, however the stretches lie', async (t) => {
  t.equal(coveredBy([]), 0);
  t.equal(coveredBy([{ start: 5, end: 9 }]), 4);
  // One within another, one that overlaps, one that touches, one apart; in no order.
  const stretches = [
    { start: 30, end: 31 },
    { start: 0, end: 10 },
    { start: 2, end: 3 },
    { start: 8, end: 12 },
    { start: 12, end: 14 },
  ];
  t.equal(coveredBy(stretches), 15);
  t.equal(coveredBy(stretches.toReversed()), 15);
});

t.test('the table has each part, the sum of its jobs, and what nothing covers', async (t) => {
  const table = timeTable(
    [
      { part: 'booting', start: 1000, end: 5000 },
      { part: 'booting', start: 2000, end: 6000 },
      { part: 'judging', start: 6000, end: 7000 },
    ],
    10_000,
  ).map((line) => line.split(/ {2,}/).filter(Boolean));
  t.equal(table.length, workParts.length + 2);
  t.same(
    table.find(([part]) => part === 'booting'),
    ['booting', '2', '8.0', '5.0', '50.0 %'],
  );
  t.same(
    table.find(([part]) => part === 'judging'),
    ['judging', '1', '1.0', '1.0', '10.0 %'],
  );
  t.same(table.at(-1), ['nothing of it', '4.0', '40.0 %']);
});
