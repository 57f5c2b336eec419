// SPDX-License-Identifier: GPL-2.0-only
import { statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeFolder } from '../../host/make-folder.ts';

t.test('folders are made with those above them, as often as one likes', async (t) => {
  const path = join(t.testdir(), 'a', 'b', 'c');
  makeFolder(path);
  makeFolder(path);
  t.ok(statSync(path).isDirectory());
});

t.test('where no folder can be made the system says why, at once', async (t) => {
  const directory = t.testdir();
  const file = join(directory, 'file');
  writeFileSync(file, '');
  symlinkSync('nowhere', join(directory, 'dangling'));
  t.throws(() => makeFolder('/proc/no-such-folder'), { code: 'ENOENT' });
  t.throws(() => makeFolder('/proc/no-such-folder/below/it'), { code: 'ENOENT' });
  t.throws(() => makeFolder(file), { code: 'EEXIST' });
  t.throws(() => makeFolder(join(file, 'below')), { code: 'ENOTDIR' });
  t.throws(() => makeFolder(join(directory, 'dangling', 'below')), { code: /ENOENT|EEXIST/ });
});
