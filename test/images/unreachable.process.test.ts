// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { sha256, withScratch } from '../../host/cache.ts';
import { requireHostTools } from '../../host/host-tools.ts';
import { openArchive } from '../../images/debian/apt.ts';
import { downloadPackages } from '../../images/debian/download.ts';
import { packagedEmulator, userEmulator } from '../../images/emulator/emulator.ts';
import { resolveKernel } from '../../images/kernels.ts';

process.env.PTDIFF_CACHE = t.testdir();
/** Nothing listens on port 1 of this machine: the network is as good as gone. */
const noNetwork = { mirror: 'http://127.0.0.1:1/debian' };

t.test('no network and an empty cache: one sentence, the fault is the host', async (t) => {
  const attempts: (() => Promise<unknown>)[] = [
    () => resolveKernel('debian:7.3', noNetwork),
    () => packagedEmulator(noNetwork),
  ];
  for (const attempt of attempts) {
    await t.rejects(attempt, {
      fault: 'host',
      message:
        /^Cannot fetch Debian's package lists from http:\/\/127\.0\.0\.1:1\/debian \(.*\), and the cache has none yet: check the network, or set PTDIFF_MIRROR\.$/,
    });
  }
});

t.test('an archive that could not be opened is tried again', async (t) => {
  const path = process.env.PATH;
  process.env.PATH = t.testdir();
  await t.rejects(openArchive('again', ['sid'], 'arm64', noNetwork), {
    fault: 'host',
    message: /apt-get/,
  });
  process.env.PATH = path;
  t.match(await openArchive('again', ['sid'], 'arm64', noNetwork), { name: 'again' });
});

t.test('downloads: a lost file, a changed file, a whole file', async (t) => {
  const server = createServer((request, response) => {
    response
      .writeHead(request.url?.includes('gone') ? 404 : 200)
      .end(request.url?.includes('gone') ? '' : 'content');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
  const archive = await openArchive('test', ['sid'], 'arm64', { mirror });
  const wanted = (name: string, content: string) => ({
    name,
    version: '1.2-3',
    url: `${mirror}/pool/${name}_1.2-3_arm64.deb`,
    bytes: 7,
    sha256: sha256(content),
  });
  await withScratch(async (directory) => {
    await t.rejects(downloadPackages(archive, [wanted('gone+deb13', 'content')], directory, {}), {
      name: 'PackageGone',
      fault: 'image',
      message:
        "gone+deb13 1.2-3 is listed by Debian's index, but its file is gone from the archive.",
    });
    await t.rejects(downloadPackages(archive, [wanted('changed', 'other')], directory, {}), {
      fault: 'host',
      message: /Hash Sum mismatch|damaged/i,
    });
    t.same(await downloadPackages(archive, [wanted('whole', 'content')], directory, {}), [
      join(directory, 'whole_1.2-3_arm64.deb'),
    ]);
  });
});

t.test('local files that are no kernel or no emulator', async (t) => {
  const directory = t.testdir({ text: 'no kernel' });
  await t.rejects(resolveKernel(`file:${directory}/absent`), {
    fault: 'image',
    message: /Cannot read the kernel .*absent: there is no such file/,
  });
  await t.rejects(resolveKernel(`file:${directory}`), {
    fault: 'image',
    message: /it is a directory/,
  });
  await t.rejects(resolveKernel(`file:${directory}/text`), {
    fault: 'image',
    message: /not an arm64 kernel Image/,
  });
  await t.rejects(userEmulator(`${directory}/absent`), {
    fault: 'usage',
    message: /There is no emulator/,
  });
  await t.rejects(userEmulator('no-such-command'), {
    fault: 'usage',
    message: /There is no emulator no-such-command/,
  });
  await t.rejects(userEmulator('true'), {
    fault: 'emulator',
    message: /does not print its version like QEMU: true /,
  });
  await t.rejects(userEmulator('false'), {
    fault: 'emulator',
    message: /like QEMU: \w(?!ndefined)/,
  });
  const mute = join(directory, 'qemu-mute');
  await writeFile(mute, '#!/bin/sh\n', { mode: 0o755 });
  await t.rejects(userEmulator(mute), {
    fault: 'emulator',
    message: /like QEMU: it printed nothing\./,
  });
  await t.rejects(resolveKernel('file:/dev/zero'), {
    fault: 'image',
    message: /\/dev\/zero: it is a device, not a file/,
  });
  const other = join(directory, 'qemu-system-other');
  await writeFile(
    other,
    '#!/bin/sh\n[ "$1" = --version ] && echo "QEMU emulator version 9.2.0" || echo "  pentium3"\n',
  );
  await execa('chmod', ['+x', other]);
  await t.rejects(userEmulator(other), {
    fault: 'emulator',
    message: /does not emulate arm64 CPUs/,
  });
  await t.rejects(packagedEmulator({ version: 'newest' }), {
    fault: 'usage',
    message: /'newest' is not a QEMU version/,
  });
});

t.test('missing host tools are named together, with their packages', async (t) => {
  await t.rejects(requireHostTools(t.testdir()), {
    fault: 'host',
    message: /no apt-get \(package apt\).*no tar \(package tar\)/,
  });
});
