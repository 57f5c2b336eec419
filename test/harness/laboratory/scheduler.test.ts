// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { runCases, type SchedulerEvent } from '../../../harness/laboratory/scheduler.ts';
import { PtdiffError } from '../../../src/errors.ts';

const never = new AbortController().signal;

t.test(
  'gives the ends in the order in which they end, never more than the jobs at once',
  async (t) => {
    let running = 0;
    let most = 0;
    const last = Promise.withResolvers<void>();
    const run = async (name: string) => {
      most = Math.max(most, ++running);
      await (name === 'long' ? last.promise : sleep(5));
      if (name === 'third') last.resolve();
      running--;
      return name;
    };
    const results: unknown[] = [];
    for await (const end of runCases(['long', 'second', 'third'], run, {
      jobs: 2,
      signal: never,
    })) {
      results.push('result' in end && end.result);
    }
    t.same(results, ['second', 'third', 'long']);
    t.equal(most, 2);
  },
);

t.test('tries failures of harness, emulator and host once more, and nothing else', async (t) => {
  const attempts: Record<string, number> = {};
  const run = async (name: string) => {
    attempts[name] = (attempts[name] ?? 0) + 1;
    if (name === 'once' && attempts[name] === 2) {
      return 'good';
    }
    throw name === 'image' ? new PtdiffError('image', 'truncated') : new Error(name);
  };
  const events: SchedulerEvent<string>['kind'][] = [];
  const ends = new Map<string, string>();
  const options = {
    jobs: 1,
    signal: never,
    onEvent: (event: SchedulerEvent<string>) => events.push(event.kind),
  };
  for await (const end of runCases(['once', 'always', 'image'], run, options)) {
    ends.set(end.case, 'result' in end ? end.result : `${end.error.fault}: ${end.error.message}`);
  }
  t.same(Object.fromEntries(ends), {
    once: 'good',
    always: 'harness: always',
    image: 'image: truncated',
  });
  t.same(attempts, { once: 2, always: 2, image: 1 });
  t.equal(events.filter((kind) => kind === 'retried').length, 2);
});

t.test('an abort ends the iteration after the running cases have ended', async (t) => {
  const controller = new AbortController();
  let ended = 0;
  const run = async (each: number, signal: AbortSignal) => {
    await sleep(each, undefined, { signal }).catch(() => {});
    ended++;
    return each;
  };
  const seen: unknown[] = [];
  for await (const end of runCases([5, 10_000, 10_000, 10_000], run, {
    jobs: 2,
    signal: controller.signal,
  })) {
    seen.push(end.case);
    controller.abort();
  }
  t.same(seen, [5]);
  t.equal(ended, 3);
});

t.test('leaving the iteration aborts the running cases', async (t) => {
  const run = async (each: number, signal: AbortSignal) => {
    await sleep(each, undefined, { signal });
    return each;
  };
  for await (const _ of runCases([1, 60_000], run, { jobs: 2, signal: never })) {
    break;
  }
  t.pass('returned');
});
