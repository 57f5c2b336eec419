// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  farmAddress,
  farmName,
  withoutPasswords,
} from '../../../../harness/laboratory/farm/address.ts';

t.test('an engine on this machine needs neither TLS nor a password', async (t) => {
  t.same(farmAddress('redis://127.0.0.1:6399', ''), {
    host: '127.0.0.1',
    port: 6399,
    db: 0,
    tls: false,
  });
  t.match(farmAddress('redis://[::1]', ''), { host: '::1', port: 6379 });
  t.match(farmAddress('redis://:secret@localhost/3', ''), { password: 'secret', db: 3 });
});

t.test('beyond it, both are needed', async (t) => {
  t.throws(() => farmAddress('redis://user:secret@farm.example', ''), {
    fault: 'usage',
    message: /by TLS alone: write rediss:\/\/ for farm\.example/,
  });
  t.throws(() => farmAddress('rediss://farm.example', ''), {
    fault: 'usage',
    message: /without a password/,
  });
  t.throws(() => farmAddress('redis://128.0.0.1', ''), { message: /TLS/ });
  t.throws(() => farmAddress('redis://127.0.0.1.farm.example', ''), { message: /TLS/ });
  t.same(farmAddress('rediss://work%2Fer:s%40cret@farm.example:6380', ''), {
    host: 'farm.example',
    port: 6380,
    db: 0,
    tls: true,
    username: 'work/er',
    password: 's@cret',
  });
  t.match(farmAddress('rediss://worker@farm.example', 'by the environment'), {
    username: 'worker',
    password: 'by the environment',
  });
});

t.test('what names no farm is told, without repeating it: it may hold a password', async (t) => {
  for (const text of [
    'farm.example',
    'http://farm.example',
    'redis://',
    'redis://127.0.0.1/99',
    'redis://127.0.0.1/?tls=no',
  ])
    t.throws(() => farmAddress(text, ''), { name: 'PtdiffError', fault: 'usage' }, text);
});

t.test('passwords reach neither messages nor run folders', async (t) => {
  t.equal(farmName(farmAddress('rediss://u:secret@farm.example:1', '')), 'farm.example:1');
  t.same(
    withoutPasswords([
      'run',
      '--farm',
      'rediss://worker:s3cret@farm.example:6380',
      '--farm=redis://:s3cret@127.0.0.1',
      '--kernel',
      'debian:7.3',
    ]),
    [
      'run',
      '--farm',
      'rediss://worker:***@farm.example:6380',
      '--farm=redis://:***@127.0.0.1',
      '--kernel',
      'debian:7.3',
    ],
  );
});

t.test("'here' is the farm that this machine serves", async (t) => {
  const folder = t.testdir({ 'farm-engine': {} });
  process.env.PTDIFF_CACHE = folder;
  t.throws(() => farmAddress('here'), { fault: 'usage', message: /start one by/ });
  writeFileSync(join(folder, 'farm-engine', 'url'), 'redis://:secret@127.0.0.1:6399\n');
  t.match(farmAddress('here'), { port: 6399, password: 'secret' });
});
