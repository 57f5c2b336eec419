// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { Engine } from '../../../../harness/laboratory/farm/engine.ts';
import { cachePath, sha256 } from '../../../../host/cache.ts';
import { sealPath } from '../../../../host/sealed-folder.ts';
import { resolveKernel } from '../../../../images/kernels.ts';
import { readCaseLines } from '../../../../results/run-folder.ts';
import { stableJson } from '../../../../src/stable-json.ts';
import { end, ptdiff } from './farm-setup.ts';

/** Workers of real boots have leases that a busy host keeps. */
const env = { PTDIFF_FARM_LEASE: '60' };

t.test('two and three workers give what a run without them gives, case by case', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-farm-', unsafeCleanup: true });
  t.teardown(cleanup);
  const engine = await Engine.start({ folder: join(path, 'engine') });
  t.teardown(() => engine.stop());
  // An Image that no archive has, and no cache: workers get it by its hash.
  const image = join(path, 'Image');
  const known = readFileSync((await resolveKernel('debian:6.12')).imagePath);
  writeFileSync(image, Buffer.concat([known, Buffer.alloc(4096)]));
  const fetched = cachePath('farm', sha256(readFileSync(image)));
  const forget = async () => {
    for (const part of [fetched, sealPath(fetched)])
      await rm(part, { recursive: true, force: true });
  };
  await forget();
  t.teardown(forget);

  const kernels = ['--kernel', `file:${image}`, '--kernel', 'debian:7.3'];
  const words = [...kernels, '--scenario', 'max', '--scenario', 'realm+max'];
  const run = async (name: string, more: string[]) => {
    const out = join(path, name);
    const store = join(path, 's.sqlite');
    const all = ['run', ...words, '--jobs', '1', '--out', out, '--store', store, ...more];
    const { exitCode, all: said } = await ptdiff(all, env);
    t.equal(exitCode, 0, said);
    return out;
  };
  const alone = await run('alone', []);
  t.notOk(existsSync(fetched));
  const workers: ReturnType<typeof ptdiff>[] = [];
  t.teardown(() => Promise.all(workers.map((worker) => end(worker, 'SIGINT'))));
  const add = (label: string) =>
    workers.push(ptdiff(['worker', '--farm', engine.url, '--jobs', '1', '--label', label], env));
  add('one');
  add('two');
  const byTwo = await run('two', ['--farm', engine.url]);
  t.ok(existsSync(fetched), 'the Image came by its hash');
  add('three');
  const byThree = await run('three', ['--farm', engine.url]);

  const plain = (out: string) =>
    readCaseLines(out)
      .map(({ seconds: _, worker: __, ...result }) => result)
      .sort((a, b) => (a.case < b.case ? -1 : 1));
  const names = plain(alone).map((result) => result.case);
  t.equal(names.length, 3);
  for (const out of [byTwo, byThree]) {
    t.same(plain(out), plain(alone));
    t.ok(readCaseLines(out).every(({ worker }) => /^(one|two|three)$/.test(worker ?? '')));
    for (const name of names) {
      const of = (folder: string) => join(folder, 'cases', name);
      t.same(
        readdirSync(of(out), { recursive: true }).sort(),
        readdirSync(of(alone), { recursive: true }).sort(),
        `${name}: the same files`,
      );
      for (const file of ['repro.sh', 'inputs.json', 'differences.json'])
        t.equal(
          readFileSync(join(of(out), file), 'utf8'),
          readFileSync(join(of(alone), file), 'utf8'),
          `${name}: ${file}`,
        );
    }
    const record = (folder: string) => {
      const { command, started, ended, asked, ...rest } = JSON.parse(
        readFileSync(join(folder, 'run.json'), 'utf8'),
      );
      t.ok(command && started && ended && asked);
      return stableJson(rest);
    };
    t.equal(record(out), record(alone));
  }
  const status = async () => (await ptdiff(['farm', 'status', '--farm', engine.url], env)).stdout;
  // A worker tells it after its case has ended, long before its next beat in ten seconds.
  const deadline = performance.now() + 5000;
  let told = await status();
  while (!/^three .* 0 of 1 /m.test(told) && performance.now() < deadline) told = await status();
  t.match(told, /^three .* 0 of 1 /m);
  t.match(told, /^cases: 0 waiting, 0 at work, \d+ a minute, 6 ended, 0 failed$/m);
  const pruned = await ptdiff(['cache', 'ls'], env);
  t.match(pruned.all, /^farm +\d/m);
});
