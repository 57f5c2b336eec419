import { mkdir, readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cachePath, cacheRoot, withScratch } from '../../images/cache.ts';

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
