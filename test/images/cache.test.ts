import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import {
  cachePath,
  cacheRoot,
  explainDiskFull,
  publishDirectory,
  readJson,
  requireSpace,
  withLock,
  withScratch,
  writeJson,
} from '../../images/cache.ts';

const root = t.testdir();
process.env.PTDIFF_CACHE = root;

t.test('the cache lies where the environment says', async (t) => {
  t.equal(cacheRoot(), root);
  t.equal(cachePath('a', 'b'), join(root, 'a/b'));
  t.teardown(() => {
    process.env.PTDIFF_CACHE = root;
    delete process.env.XDG_CACHE_HOME;
  });
  delete process.env.PTDIFF_CACHE;
  process.env.XDG_CACHE_HOME = '/xdg';
  t.equal(cacheRoot(), '/xdg/ptdiff');
});

t.test('a directory appears whole, once, and leaves no scratch behind', async (t) => {
  const target = cachePath('things', 'one');
  await t.rejects(
    publishDirectory(target, async (directory) => {
      await writeFile(join(directory, 'half'), 'x');
      throw new Error('stopped in between');
    }),
    { message: 'stopped in between' },
  );
  await t.rejects(readdir(target), { code: 'ENOENT' });
  const publish = (text: string) =>
    publishDirectory(target, async (directory) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await writeFile(join(directory, 'file'), text);
    });
  await Promise.all([publish('same'), publish('same'), publish('same')]);
  t.equal(await readFile(join(target, 'file'), 'utf8'), 'same');
  t.same(await readdir(target), ['file']);
  t.same(await readdir(cachePath('tmp')), []);
});

t.test('JSON files survive a round and tolerate damage', async (t) => {
  await writeJson(cachePath('x/y.json'), { a: [1] });
  t.same(await readJson(cachePath('x/y.json')), { a: [1] });
  await writeFile(cachePath('x/y.json'), '{"a": [1');
  t.equal(await readJson(cachePath('x/y.json')), undefined);
});

t.test('a lock is exclusive, and is free again when its holder is killed', async (t) => {
  const module = join(import.meta.dirname, '../../images/cache.ts');
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
    await new Promise((resolve) => setTimeout(resolve, 300));
    t.equal(taken, false);
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
  const wait = withLock('busy', never, { waiting: 'waiting for another', progress, signal: abort.signal });
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

t.test('a full disk is one sentence with sizes; other errors pass', async (t) => {
  await t.rejects(requireSpace(2 ** 60, 'the moon'), {
    fault: 'host',
    message: /the moon: it needs about \d+ MiB and .* has \d+ MiB free/,
  });
  const real = await writeFile('/dev/full', 'x').catch((error: Error) => error);
  t.match(await explainDiskFull(real, 'a kernel'), { fault: 'host', message: /No disk space for a kernel/ });
  const other = new Error('something else');
  t.equal(await explainDiskFull(other, 'a kernel'), other);
});

t.test('scratch directories that a killed run left are swept after a day', async (t) => {
  const old = cachePath('tmp', 'job-left');
  const recent = cachePath('tmp', 'job-busy');
  await mkdir(old, { recursive: true });
  await mkdir(recent, { recursive: true });
  const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000);
  await utimes(old, twoDaysAgo, twoDaysAgo);
  await withScratch(async () => {
    const names = await readdir(cachePath('tmp'));
    t.notOk(names.includes('job-left'));
    t.ok(names.includes('job-busy'));
  });
});
