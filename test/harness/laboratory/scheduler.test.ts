// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { CaseQueue } from '../../../harness/laboratory/case-queue.ts';
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

t.test(
  'cases that come while others run are run, in the order that they have by then',
  async (t) => {
    const queue = new CaseQueue<string>();
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const begun: string[] = [];
    const run = async (name: string) => {
      begun.push(name);
      if (name === 'a') first.resolve();
      if (name === 'b') second.resolve();
      return name;
    };
    const ended = (async () => {
      const names: string[] = [];
      for await (const end of runCases(queue, run, { jobs: 2, signal: never }))
        names.push(end.case);
      return names;
    })();
    queue.offer(['a']);
    await first.promise;
    t.same(begun, ['a']);
    queue.offer(['z', 'b']);
    queue.offer(['b', 'c', 'z']);
    await second.promise;
    queue.close();
    t.same((await ended).sort(), ['a', 'b', 'c', 'z']);
    t.same(begun, ['a', 'b', 'c', 'z'], 'what was offered last is what counts');
  },
);

t.test('which case a place is for is decided when there is a place', async (t) => {
  const queue = new CaseQueue<string>();
  const place = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const turn = async () => {
    asked.resolve();
    await place.promise;
  };
  const begun: string[] = [];
  const run = async (name: string) => void begun.push(name);
  const ends = (async () => {
    for await (const _ of runCases(queue, run, { jobs: 3, signal: never, turn }));
  })();
  queue.offer(['later']);
  await asked.promise;
  queue.offer(['sooner', 'later']);
  queue.close();
  place.resolve();
  await ends;
  t.same(begun, ['sooner', 'later']);
});

t.test('an abort ends the wait for cases that never come', async (t) => {
  const controller = new AbortController();
  const queue = new CaseQueue<string>();
  const seen: string[] = [];
  const done = (async () => {
    const run = async (name: string) => name;
    for await (const end of runCases(queue, run, { jobs: 2, signal: controller.signal }))
      seen.push(end.case);
  })();
  setImmediate(() => controller.abort());
  await done;
  t.same(seen, []);
  t.equal(await queue.ready(controller.signal), false);
});
