// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { useCache, withUnusedCache } from '../../host/cache-in-use.ts';
import { given } from '../given.ts';
import { eventually, groupsBelow, isAlive } from '../harness/processes.ts';

process.env.PTDIFF_CACHE = t.testdir();
const module = JSON.stringify(join(import.meta.dirname, '../../host/cache-in-use.ts'));

/** Another process that uses the cache until it is told to end. */
async function user() {
  const program = `const { useCache } = await import(${module}); await useCache(); console.log('used'); process.stdin.resume();`;
  const child = execa(process.execPath, ['--input-type=module', '-e', program], {
    stdin: 'pipe',
    reject: false,
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return {
    pid: child.pid ?? 0,
    stderr: child.stderr,
    end: async (signal?: 'SIGKILL') => {
      if (signal === undefined) child.stdin.end();
      else child.kill(signal);
      await child;
    },
  };
}

t.test(
  'a cache that another ptdiff uses is not to be had alone, until that ends, however it ends',
  async (t) => {
    const [one, two] = [await user(), await user()];
    const refused = { fault: 'host', message: /Another ptdiff uses this cache/ };
    await t.rejects(
      withUnusedCache(async () => {}),
      refused,
    );
    await one.end();
    await t.rejects(
      withUnusedCache(async () => {}),
      refused,
    );
    await two.end('SIGKILL');
    // The lock's holder sees that its pipe is closed a moment after the process is gone.
    const alone = () => withUnusedCache(async () => 'alone');
    let result = 'refused';
    while (result === 'refused') result = await alone().catch(() => 'refused');
    t.equal(result, 'alone');
  },
);

t.test('a holder of the lock that was stopped ends with its process', async (t) => {
  const one = await user();
  const holders = groupsBelow(one.pid);
  t.match(holders.map(({ name }) => name).toSorted(), ['cat', 'flock']);
  for (const { pid } of holders) process.kill(pid, 'SIGSTOP');
  await one.end();
  t.ok(await eventually(() => !holders.some(({ pid }) => isAlive(pid))));
  t.equal(await withUnusedCache(async () => 'alone'), 'alone');
});

t.test('who starts while the cache is pruned waits, and says so', async (t) => {
  let waiting: Promise<void> | undefined;
  await withUnusedCache(async () => {
    const program = `const { useCache } = await import(${module}); await useCache(console.log); console.log('used');`;
    const child = execa(process.execPath, ['--input-type=module', '-e', program]);
    const first = await new Promise((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data))),
    );
    t.equal(first, 'waiting for another ptdiff that prunes the cache\n');
    waiting = child.then(({ stdout }) => void t.match(stdout, /\nused$/));
  });
  await waiting;
});

t.test('a process that uses the cache ends by itself', async (t) => {
  const program = `const { useCache } = await import(${module}); await useCache(); console.log('end');`;
  t.match(await execa(process.execPath, ['--input-type=module', '-e', program]), {
    stdout: 'end',
    exitCode: 0,
  });
  await useCache();
});

t.test('a host that cannot lock the cache goes on, and says what that means', async (t) => {
  const program = `const { useCache } = await import(${module}); await useCache(); console.log('on');`;
  const run = (env: Record<string, string>) =>
    execa(process.execPath, ['--input-type=module', '-e', program], { env });
  const withoutFlock = await run({ PATH: t.testdir() });
  t.equal(withoutFlock.stdout, 'on');
  t.match(
    withoutFlock.stderr,
    /^ptdiff: nothing keeps others from pruning the cache while this ptdiff uses it: Cannot lock .* with flock \(package util-linux\): there is none on PATH\.$/,
  );
  const nowhere = await run({ PTDIFF_CACHE: '/proc/none' });
  t.equal(nowhere.stdout, 'on');
  t.match(nowhere.stderr, /^ptdiff: nothing keeps others from pruning .*\/proc\/none.*$/);
});

t.test('who uses the cache says so again when the process that says it is killed', async (t) => {
  const one = await user();
  const [holder] = groupsBelow(one.pid).filter(({ name }) => name === 'flock');
  process.kill(given(holder).pid, 'SIGKILL');
  const [line] = await once(one.stderr, 'data');
  t.match(String(line), /^ptdiff: somebody killed the process that says that this ptdiff uses/);
  const isHeld = (): boolean =>
    groupsBelow(one.pid).some(({ name, pid }) => name === 'flock' && pid !== holder?.pid);
  t.ok(await eventually(isHeld));
  let refusal = '';
  while (refusal === '')
    await withUnusedCache(async () => {}).catch(({ message }) => {
      refusal = message;
    });
  t.match(refusal, /Another ptdiff uses this cache/);
  await one.end();
});
