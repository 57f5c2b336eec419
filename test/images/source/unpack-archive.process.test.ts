// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { openGitStore } from '../../../images/source/git-store.ts';
import { tarballTree } from '../../../images/source/import-archive.ts';
import { unpackArchive } from '../../../images/source/unpack-archive.ts';

process.env.PTDIFF_CACHE = t.testdir();
const bin = '/nowhere';

/** A folder with an archive of `content`, which is not the same twice when compressed. */
async function archive(
  t: Test,
  content: Record<string, string>,
  ...options: string[]
): Promise<string> {
  const directory = t.testdir({ content });
  const path = join(directory, 'archive');
  await execa('tar', [
    '--create',
    ...options,
    '--file',
    path,
    '--directory',
    join(directory, 'content'),
    '.',
  ]);
  return path;
}

t.test('an archive is unpacked, its only folder or all of it', async (t) => {
  const flat = await archive(t, { Makefile: 'all:', Kbuild: '' }, '--gzip');
  await unpackArchive(flat, `${flat}.source`, bin, undefined);
  t.equal(readFileSync(`${flat}.source/Makefile`, 'utf8'), 'all:');
  const nested = join(t.testdir({ 'linux-7.3': { Makefile: 'all:' } }), 'archive');
  await execa('tar', [
    '--create',
    '--file',
    nested,
    '--directory',
    join(nested, '..'),
    'linux-7.3',
  ]);
  await unpackArchive(nested, `${nested}.source`, bin, undefined);
  t.ok(existsSync(`${nested}.source/Makefile`));
});

t.test('one that is damaged or none says so in a sentence', async (t) => {
  const whole = await archive(
    t,
    { Makefile: 'all:'.repeat(1000), other: String(Math.random()) },
    '--gzip',
  );
  truncateSync(whole, 150);
  const damaged = {
    fault: 'image',
    message: /^Cannot unpack \S+: it is damaged, or only the beginning of an archive \(/,
  };
  await t.rejects(unpackArchive(whole, `${whole}.source`, bin, undefined), damaged);
  const plain = await archive(t, { Makefile: 'all:'.repeat(1000) });
  truncateSync(plain, 3000);
  await t.rejects(unpackArchive(plain, `${plain}.source`, bin, undefined), damaged);
  writeFileSync(plain, 'hello');
  await t.rejects(unpackArchive(plain, `${plain}.other`, bin, undefined), {
    fault: 'image',
    message: /^Cannot unpack \S+: This does not look like a tar archive\.$/,
  });
});

t.test('an archive that cannot be read says why, before anything is fetched', async (t) => {
  const store = await openGitStore();
  const folder = t.testdir({});
  mkdirSync(folder, { recursive: true });
  await t.rejects(tarballTree(store, folder, {}), {
    fault: 'image',
    message: `Cannot read the archive ${folder}: it is a directory, not a file (git:PATH@REV takes a repository).`,
  });
  await t.rejects(tarballTree(store, join(folder, 'none.tar.xz'), {}), {
    fault: 'image',
    message: /no such file/,
  });
});
