// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { listenToTimes, timed, timedNow, type WorkTime } from '../../host/timed.ts';

t.test(
  'work is told with its stretch of time, however it ends, and only while one listens',
  async (t) => {
    const heard: WorkTime[] = [];
    const stop = listenToTimes((time) => heard.push(time));
    const before = performance.now();
    t.equal(await timed('walking', () => sleep(5, 'walked')), 'walked');
    await t.rejects(
      timed('booting', () => Promise.reject(new Error('no boot'))),
      { message: 'no boot' },
    );
    t.throws(
      () =>
        timedNow('judging', () => {
          throw new Error('no verdict');
        }),
      { message: 'no verdict' },
    );
    stop();
    t.equal(
      timedNow('report', () => 7),
      7,
    );
    t.same(
      heard.map(({ part }) => part),
      ['walking', 'booting', 'judging'],
    );
    for (const { start, end } of heard) {
      t.ok(before <= start && start <= end && end <= performance.now());
    }
  },
);
