// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { cachePath, cacheRoot, withScratch } from '../../host/cache.ts';
import { kernelCatalogue } from '../../images/debian/kernel-catalogue.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { requirePlainPath } from '../../images/source/source-kernel.ts';

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

t.test('a scratch directory in use is not swept, whatever date an unpacker gives it', async (t) => {
  await withScratch(async (scratch) => {
    await utimes(scratch, 1, 1);
    await withScratch(async () => t.ok(existsSync(scratch)));
  });
});

t.test('a cache whose path apt or the loader cannot take is refused in one sentence', async (t) => {
  t.teardown(() => {
    process.env.PTDIFF_CACHE = root;
  });
  for (const name of ['a:b', 'a;b', 'a$LIB', 'a"b', 'a\\b', 'a\nb']) {
    process.env.PTDIFF_CACHE = join(root, name);
    const refused = {
      fault: 'usage',
      message: /^The cache .* in its path, which .*: set PTDIFF_CACHE to a path/,
    };
    await t.rejects(packagedEmulator(), refused, name);
    await t.rejects(kernelCatalogue({}), refused, name);
  }
});

t.test('kernels are not built below a path that their Makefile refuses', (t) => {
  t.doesNotThrow(() => requirePlainPath('/cache/März/source'));
  t.throws(() => requirePlainPath('/ca che/source'), {
    fault: 'host',
    message: /^No kernel .*\/ca che\/.* has blanks: /,
  });
  t.throws(() => requirePlainPath('/ca:che/source'), { fault: 'host', message: / has colons: / });
  t.end();
});

t.test('a scratch folder is gone although something still writes into it', async (t) => {
  let scratch = '';
  let writing = Promise.resolve();
  await t.rejects(
    withScratch(async (directory) => {
      scratch = directory;
      const inside = join(directory, 'inside');
      await mkdir(inside);
      const write = async () => {
        // Ends when the folder is gone.
        for (let file = 0; file < 1000; file++) await writeFile(join(inside, `${file}`), '');
      };
      writing = write().catch(() => {});
      await setTimeout(20);
      throw new Error('as it was');
    }),
    { message: 'as it was' },
  );
  await writing;
  t.notOk(existsSync(scratch));
});
