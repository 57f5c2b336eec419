// SPDX-License-Identifier: GPL-2.0-only
import { closeSync, openSync, readFileSync, statSync, utimesSync, writeSync } from 'node:fs';
import {
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { cachePath } from '../../host/cache.ts';
import { inspectFolder, publishFolder, sealPath, takeFolder } from '../../host/sealed-folder.ts';
import { flipBit } from '../images/damage.ts';

process.env.PTDIFF_CACHE = t.testdir();

const content = 'what was stored\n';

/** A folder of the cache with a file, another one below, and a link to it. */
async function stored(name: string): Promise<string> {
  const folder = cachePath('things', name);
  await publishFolder(folder, async (arriving) => {
    await mkdir(join(arriving, 'lib'));
    await writeFile(join(arriving, 'program'), content);
    await writeFile(join(arriving, 'lib/libc.so.6'), content);
    await symlink('libc.so.6', join(arriving, 'lib/libc.so'));
  });
  return folder;
}

/** Waits until the stamps of the files may be relied on: not before they are some seconds old. */
async function settle(folder: string): Promise<void> {
  while (!readFileSync(sealPath(folder), 'utf8').includes('"stamp"')) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await inspectFolder(folder);
  }
}

t.test('a folder appears whole, and a build that fails leaves nothing behind', async (t) => {
  const target = cachePath('things', 'one');
  await t.rejects(
    publishFolder(target, async (directory) => {
      await writeFile(join(directory, 'half'), 'x');
      throw new Error('stopped in between');
    }),
    { message: 'stopped in between' },
  );
  await t.rejects(readdir(target), { code: 'ENOENT' });
  const publish = () =>
    publishFolder(target, (directory) => writeFile(join(directory, 'file'), 'same'));
  await Promise.all([publish(), publish(), publish()]);
  t.equal(await readFile(join(target, 'file'), 'utf8'), 'same');
  t.match(await inspectFolder(target), { kind: 'whole' });
  t.same(await readdir(cachePath('tmp')), []);
});

t.test(
  'each kind of damage is found, said in one line, and mended by making the folder again',
  async (t) => {
    const damages: Record<string, [(folder: string) => void | Promise<void>, string]> = {
      flipped: [(folder) => flipBit(join(folder, 'program'), 3), 'program in the cache is damaged'],
      truncated: [
        (folder) => truncate(join(folder, 'program'), 3),
        'program in the cache is damaged',
      ],
      empty: [(folder) => truncate(join(folder, 'program'), 0), 'program in the cache is damaged'],
      deleted: [
        (folder) => unlink(join(folder, 'lib/libc.so.6')),
        'lib/libc.so.6 in the cache is missing',
      ],
      unlinked: [
        (folder) => unlink(join(folder, 'lib/libc.so')),
        'lib/libc.so in the cache is missing',
      ],
      folder: [
        (folder) => rm(join(folder, 'lib'), { recursive: true }),
        'lib/libc.so.6 in the cache is missing, and so are 1 more files of that folder',
      ],
    };
    for (const [name, [damage, told]] of Object.entries(damages)) {
      const folder = await stored(name);
      t.ok(await takeFolder(folder, undefined), `${name}: whole before`);
      await damage(folder);
      const lines: string[] = [];
      for (const _ of [1, 2])
        t.equal(await takeFolder(folder, (line) => lines.push(line)), undefined, name);
      t.same(lines, [`things/${name}/${told}: it is made again`]);
      await stored(name);
      t.ok(await takeFolder(folder, undefined), `${name}: whole again`);
      t.same(await readdir(cachePath('tmp')), [], 'what was in the way is gone');
    }
  },
);

t.test('a change that puts size and mtime back is found by its ctime', async (t) => {
  const folder = await stored('sly');
  await settle(folder);
  t.match(await inspectFolder(folder), { kind: 'whole' });
  const program = join(folder, 'program');
  const { mtime, atime } = statSync(program);
  flipBit(program, 5);
  utimesSync(program, atime, mtime);
  t.match(await inspectFolder(folder), {
    kind: 'damaged',
    files: [{ name: 'program', why: 'damaged' }],
  });
});

t.test(
  'an unchanged file is not hashed again, unless everything is asked for or a week has gone',
  async (t) => {
    const folder = await stored('remembered');
    await settle(folder);
    // The stamp of the damaged file, as if the disk had lost a bit that nobody wrote.
    const program = join(folder, 'program');
    flipBit(program, 5);
    const seal = JSON.parse(readFileSync(sealPath(folder), 'utf8'));
    const { size, mtimeNs, ctimeNs, ino } = statSync(program, { bigint: true });
    seal.files.program.stamp = [size, mtimeNs, ctimeNs, ino].join(' ');
    delete seal.seal;
    await writeFile(sealPath(folder), JSON.stringify(seal));
    t.match(await inspectFolder(folder), { kind: 'whole' }, 'the stamp is believed');
    t.match(await inspectFolder(folder, true), { kind: 'damaged', files: [{ name: 'program' }] });
    const old = { ...seal, hashed: Date.now() - 8 * 86_400_000 };
    await writeFile(sealPath(folder), JSON.stringify(old));
    t.match(await inspectFolder(folder), { kind: 'damaged', files: [{ name: 'program' }] });
  },
);

t.test('the stamp of a file that was just written is not relied on', async (t) => {
  const folder = await stored('fresh');
  t.notMatch(readFileSync(sealPath(folder), 'utf8'), /"stamp"/);
});

t.test('a damaged list of what a folder holds makes it unknown, not whole', async (t) => {
  const folder = await stored('listless');
  const path = sealPath(folder);
  const at = readFileSync(path, 'latin1').indexOf('"sha256": "') + 12;
  const file = openSync(path, 'r+');
  writeSync(file, readFileSync(path, 'latin1')[at] === '0' ? '1' : '0', at);
  closeSync(file);
  t.same(await inspectFolder(folder), { kind: 'unsealed' });
});
