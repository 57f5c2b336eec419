// SPDX-License-Identifier: GPL-2.0-only
import { createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readRegular, readRegularText, whyUnreadable } from '../../host/read-file.ts';

const mib = 2 ** 20;
const reason = (path: string, limit = mib) =>
  readRegular(path, limit).then(() => 'read', whyUnreadable);

t.test('what is no file is not read, however it is named', async (t) => {
  // A socket's name may have 108 bytes (unix(7)).
  const { path: folder, cleanup } = await dir({ prefix: 'ptdiff-read-', unsafeCleanup: true });
  t.teardown(cleanup);
  const [pipe, socket] = [join(folder, 'pipe'), join(folder, 'socket')];
  await execa('mkfifo', [pipe]);
  const server = createServer().listen(socket);
  t.teardown(() => server.close());
  t.equal(await reason('/dev/zero'), 'it is a device, not a file');
  t.equal(await reason(pipe), 'it is a pipe, not a file');
  t.equal(await reason(socket), 'it is a socket, not a file');
  t.equal(await reason(folder), 'it is a directory, not a file');
  t.equal(await reason(join(folder, 'none')), 'there is no such file');
});

t.test('a file is read up to a limit, also one that says that it is empty', async (t) => {
  const folder = t.testdir({ whole: 'x'.repeat(mib), long: 'x'.repeat(mib + 1), empty: '' });
  t.equal((await readRegular(join(folder, 'whole'), mib)).length, mib);
  t.equal(await reason(join(folder, 'long')), 'it has more than 1 MiB');
  t.equal((await readRegular(join(folder, 'empty'), mib)).length, 0);
  t.match(await readRegularText('/proc/self/status'), /^Name:/);
});
