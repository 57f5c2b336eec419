import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cachePath, cacheRoot, publishDirectory, readJson, withScratch, writeJson } from '../../images/cache.ts';

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
