// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { cachePath } from '../../host/cache.ts';
import { obtain, withLock, withLockedFolder } from '../../host/lock.ts';
import { given } from '../given.ts';
import { eventually, groupsBelow } from '../harness/processes.ts';

process.env.PTDIFF_CACHE = t.testdir();

/**
 * Resolves once the kernel has somebody wait for the lock of that name: /proc/locks marks it with
 * '->' (proc_locks(5)).
 */
async function waitedFor(name: string): Promise<void> {
  while (!isWaitedFor(cachePath('locks', name))) await setImmediate();
}

/** Whether somebody waits for the lock on a file or a folder. */
function isWaitedFor(path: string): boolean {
  const { ino } = statSync(path);
  const isWaiting = (line: string) => / -> FLOCK /.test(line) && line.includes(`:${ino} `);
  return readFileSync('/proc/locks', 'utf8').split('\n').some(isWaiting);
}

t.test('a lock is exclusive, and is free again when its holder is killed', async (t) => {
  const module = join(import.meta.dirname, '../../host/lock.ts');
  const program = `import { withLock } from ${JSON.stringify(module)};
    await withLock('it', () => new Promise((resolve) => { console.log('held'); setTimeout(resolve, 60_000); }));`;
  const holder = execa(process.execPath, ['--input-type=module', '-e', program], {
    reject: false,
    forceKillAfterDelay: false,
  });
  for await (const line of holder.iterable({ preserveStdin: true, binary: false })) {
    t.equal(line, 'held');
    let taken = false;
    const mine = withLock('it', async () => {
      taken = true;
    });
    await waitedFor('it');
    t.equal(taken, false, 'while the kernel says that it is waited for');
    holder.kill('SIGKILL');
    await mine;
    t.equal(taken, true);
  }
});

t.test('a lock that is waited for says so once, and the signal ends the wait', async (t) => {
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holder = withLock('busy', async () => {
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const [lines, abort]: [string[], AbortController] = [[], new AbortController()];
  const progress = (line: string) => {
    lines.push(line);
    abort.abort(new Error('enough'));
  };
  const never = async () => t.fail('the lock was had twice');
  const wait = withLock('busy', never, {
    waiting: 'waiting for another',
    progress,
    signal: abort.signal,
  });
  await t.rejects(wait, { message: 'enough' });
  t.same(lines, ['waiting for another']);
  await t.rejects(withLock('busy', never, { signal: abort.signal }), { message: 'enough' });
  release.resolve();
  await holder;
});

t.test('a lock is given back after an error', async (t) => {
  await t.rejects(
    withLock('other', async () => {
      throw new Error('inside');
    }),
    { message: 'inside' },
  );
  t.equal(await withLock('other', async () => 7), 7);
});

t.test('what two ask for at once is made once', async (t) => {
  let [cached, made]: [string | undefined, number] = [undefined, 0];
  const find = async () => cached;
  const make = async () => {
    made++;
    await waitedFor('thing');
    cached = 'thing';
    return cached;
  };
  const ask = () => obtain('thing', { find, make }, {});
  t.same(await Promise.all([ask(), ask()]), ['thing', 'thing']);
  t.equal(made, 1);
  const asked = obtain(
    'thing',
    { find, make },
    { signal: AbortSignal.abort(new Error('no lock is needed')) },
  );
  t.equal(await asked, 'thing', 'what is there needs no lock');
});

t.test('what could not be made is tried again by the next', async (t) => {
  const find = async () => undefined;
  const fail = { find, make: () => Promise.reject(new Error('no luck')) };
  await t.rejects(obtain('luck', fail, {}), { message: 'no luck' });
  t.equal(await obtain('luck', { find, make: async () => 'luck' }, {}), 'luck');
});

t.test(
  'a folder is locked itself: nothing is left in it, and one that was made in vain is gone',
  async (t) => {
    const folder = join(t.testdir(), 'runs', 'new');
    await withLockedFolder(folder, async () => t.same(readdirSync(folder), []));
    t.notOk(existsSync(folder));
    await withLockedFolder(folder, async () => writeFileSync(join(folder, 'result'), ''));
    t.same(readdirSync(folder), ['result']);
    await t.rejects(
      withLockedFolder('/proc/none', async () => {}),
      { fault: 'host', message: /folder \/proc\/none/ },
    );
  },
);

t.test('who waited for a folder that is gone by then locks the one that he makes', async (t) => {
  const folder = join(t.testdir(), 'new');
  const [held, waits] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = withLockedFolder(folder, async () => {
    held.resolve();
    await waits.promise;
  });
  await held.promise;
  const options = { waiting: 'waits', progress: () => waits.resolve() };
  const second = withLockedFolder(
    folder,
    async () => {
      let [taken, third]: [boolean, Promise<void> | undefined] = [false, undefined];
      t.ok(existsSync(folder));
      await new Promise<void>((resolve) => {
        const take = async () => {
          taken = true;
        };
        third = withLockedFolder(folder, take, { waiting: 'waits', progress: () => resolve() });
      });
      t.notOk(taken, 'the third waits for the second');
      return { third };
    },
    options,
  );
  await first;
  await (await second).third;
});

/** Takes a lock in a process of its own, which ends when its input does. */
async function holderOf(folder: string) {
  const module = join(import.meta.dirname, '../../host/lock.ts');
  const program = `import { withLockedFolder } from ${JSON.stringify(module)};
    import { once } from 'node:events';
    await withLockedFolder(${JSON.stringify(folder)}, async () => {
      console.log('held');
      process.stdin.resume();
      await once(process.stdin, 'end');
      console.log('done');
    });`;
  const holder = execa(process.execPath, ['--input-type=module', '-e', program], {
    stdin: 'pipe',
    reject: false,
  });
  await once(holder.stdout, 'data');
  const pidOf = (program: string): number =>
    given(groupsBelow(given(holder.pid)).find(({ name }) => name === program)).pid;
  return { holder, pidOf };
}

t.test('a lock that is taken away by force is taken again, and one line says so', async (t) => {
  for (const program of ['flock', 'cat']) {
    const folder = t.testdir({ result: '' });
    const { holder, pidOf } = await holderOf(folder);
    process.kill(pidOf(program), 'SIGKILL');
    const [line] = await once(holder.stderr, 'data');
    t.equal(
      String(line),
      `ptdiff: somebody killed the process that holds the lock on ${folder}; it is held again\n`,
    );
    let taken = false;
    const mine = withLockedFolder(folder, async () => {
      taken = true;
    });
    t.ok(await eventually(() => isWaitedFor(folder)));
    t.equal(taken, false, `${program} was killed, and the lock is held still`);
    holder.stdin.end();
    await mine;
    t.match(await holder, { exitCode: 0, stdout: /done/ });
  }
});

t.test('a lock that another has by then ends who lost it, with one sentence', async (t) => {
  const folder = t.testdir({ result: '' });
  const { holder, pidOf } = await holderOf(folder);
  // Whoever waits for a lock has it at once when its holder is gone.
  const release = Promise.withResolvers<void>();
  const mine = withLockedFolder(folder, () => release.promise);
  t.ok(await eventually(() => isWaitedFor(folder)));
  process.kill(pidOf('cat'), 'SIGKILL');
  const { exitCode, stdout, stderr } = await holder;
  release.resolve();
  await mine;
  t.not(exitCode, 0);
  t.notMatch(stdout, /done/);
  t.match(stderr, `The lock on ${folder} was taken away from this ptdiff, and cannot be had again`);
});
