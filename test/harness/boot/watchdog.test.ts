// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type GuestSample, Watchdog } from '../../../harness/boot/watchdog.ts';

const limits = { cpuSeconds: 10, idleSeconds: 20, stalledSeconds: 50, consoleBytes: 1 << 20 };
/** @param work CPU time of each thread */
const sample = ({
  work = [0],
  ...over
}: Partial<GuestSample> & { work?: number[] }): GuestSample => ({
  worked: new Map(work.map((seconds, thread) => [String(thread), seconds])),
  runnable: true,
  wallSeconds: 0,
  consoleBytes: 0,
  ...over,
});

/** Looks once a second at a guest that does nothing; the last answer. */
function lookOn(
  watchdog: Watchdog,
  seconds: number,
  over: Partial<GuestSample>,
): string | undefined {
  const start = watchdog.look(sample(over));
  return Array.from({ length: seconds }, (_, second) =>
    watchdog.look(sample({ ...over, wallSeconds: (over.wallSeconds ?? 0) + second + 1 })),
  ).reduce((_, answer) => answer, start);
}

t.test('gives up a guest that works without progress, by CPU time and not by the clock', (t) => {
  const watchdog = new Watchdog(limits);
  t.equal(watchdog.look(sample({ work: [9], wallSeconds: 1000 })), undefined);
  t.match(watchdog.look(sample({ work: [10], wallSeconds: 1001 })), /10 s of CPU time/);
  t.end();
});

t.test('CPUs that wait for a lock do not use up the time of the one that holds it', (t) => {
  const watchdog = new Watchdog(limits);
  t.equal(watchdog.look(sample({ work: [9, 9, 9, 9], consoleBytes: 1 })), undefined);
  t.equal(watchdog.look(sample({ work: [18, 18, 18, 10], consoleBytes: 1 })), undefined);
  t.match(watchdog.look(sample({ work: [18, 18, 19, 10], consoleBytes: 1 })), /10 s of CPU time/);
  t.end();
});

t.test('console output and stops are progress', (t) => {
  const watchdog = new Watchdog(limits);
  t.equal(watchdog.look(sample({ work: [9], consoleBytes: 1 })), undefined);
  t.equal(watchdog.look(sample({ work: [18], consoleBytes: 1 })), undefined);
  watchdog.progress();
  t.equal(watchdog.look(sample({ work: [27], consoleBytes: 1 })), undefined);
  t.match(watchdog.look(sample({ work: [28], consoleBytes: 1 })), /CPU time/);
  t.end();
});

t.test('gives up an idle guest, but not one that waits for a host CPU', (t) => {
  t.equal(lookOn(new Watchdog(limits), 30, {}), undefined);
  t.match(lookOn(new Watchdog(limits), 30, { runnable: false }), /idled/);
  t.end();
});

t.test('time in which the harness or QEMU was stopped is no idleness of the guest', (t) => {
  const asleep = new Watchdog(limits);
  t.equal(lookOn(asleep, 3, { runnable: false }), undefined);
  // Ctrl-Z for ten minutes: by now the guest may have stood at a breakpoint for long.
  t.equal(lookOn(asleep, 3, { runnable: false, wallSeconds: 600 }), undefined);
  t.match(lookOn(asleep, 30, { runnable: false, wallSeconds: 604 }), /idled/);

  const stopped = new Watchdog(limits);
  t.equal(lookOn(stopped, 30, { runnable: false, stopped: true }), undefined);
  t.equal(stopped.stoppedSeconds, 30);
  t.equal(lookOn(stopped, 3, { runnable: false, wallSeconds: 31 }), undefined);
  t.equal(stopped.stoppedSeconds, 0);
  t.equal(stopped.longestStop, 30, 'the complaints of the guest about it are not its own fault');
  t.end();
});

t.test('gives up a guest that floods its console', (t) => {
  const watchdog = new Watchdog(limits);
  t.match(watchdog.look(sample({ consoleBytes: 1 << 20 })), /more than 1 MiB/);
  t.end();
});

t.test('gives up a guest that prints for ever and reaches no stop', (t) => {
  const watchdog = new Watchdog(limits);
  for (let step = 0; step < 8; step++) {
    const at = { work: [2 * step], runnable: false, wallSeconds: 5 * step, consoleBytes: step };
    t.equal(watchdog.look(sample(at)), undefined, `${step}`);
    if (step === 1) watchdog.progress();
  }
  t.match(
    watchdog.look(sample({ work: [24], runnable: false, wallSeconds: 40, consoleBytes: 20 })),
    /made no progress in 50 s/,
  );
  t.end();
});
