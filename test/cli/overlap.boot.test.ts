// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { Engine } from '../../harness/laboratory/farm/engine.ts';
import { debianMirror } from '../../images/debian/mirror.ts';
import { readCaseLines, readRunRecord, runFiles } from '../../results/run-folder.ts';
import { end, ptdiff } from '../harness/laboratory/farm/farm-setup.ts';

// From an empty cache.
t.setTimeout(30 * 60_000);

const place = t.testdir();
const env = (mirror: string) => ({
  PTDIFF_MIRROR: mirror,
  PTDIFF_CACHE: join(place, 'cache'),
  PTDIFF_STORE: join(place, 'store.sqlite'),
  PTDIFF_NODE: process.execPath,
  // A busy host keeps it.
  PTDIFF_FARM_LEASE: '60',
});

/** The real mirror on this machine; it keeps back what matches until `release` settles. */
async function holdingMirror(held: RegExp, release: Promise<unknown>) {
  const real = await debianMirror();
  let asked = 0;
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').replace(/^\/debian/, '');
    if (held.test(decodeURIComponent(path))) {
      asked++;
      await release;
    }
    // apt has it from the real one; nothing goes through here.
    response.writeHead(302, { location: real + path }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`,
    asked: () => asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const run = (mirror: string, out: string, kernels: string[], more: string[] = []) =>
  execa(
    join(import.meta.dirname, '..', '..', 'ptdiff'),
    [
      'run',
      ...kernels.flatMap((spec) => ['--kernel', spec]),
      ...['--scenario', 'max', '--depth', 'early', '--jobs', '1', '--out', out, ...more],
    ],
    { env: env(mirror), reject: false },
  );

/** Settles when a run folder has a result. */
async function firstResult(out: string): Promise<void> {
  const has = () => existsSync(join(out, runFiles.cases)) && readCaseLines(out).length > 0;
  while (!has()) await sleep(200);
}

t.test('the first kernel is booted while the second one is still to come', async (t) => {
  const out = join(place, 'out');
  const release = Promise.withResolvers<void>();
  const mirror = await holdingMirror(/linux-(binary|image)-7\.3/, release.promise);
  t.teardown(() => mirror.close());
  const running = run(mirror.address, out, ['debian:6.12', 'debian:7.3']);
  // The mirror waits for the boot: a run that waits for all kernels never comes to it.
  await Promise.race([firstResult(out), running]);
  t.same(
    readCaseLines(out).map(({ kernel }) => kernel.spec),
    ['debian:6.12'],
  );
  t.ok(mirror.asked() > 0, 'the other kernel was asked for');
  t.same(readRunRecord(out).awaited, ['debian:7.3']);
  release.resolve();
  const { exitCode, stderr } = await running;
  t.equal(exitCode, 0, stderr);
  t.equal(readCaseLines(out).length, 2);
  const record = readRunRecord(out);
  t.equal(record.awaited, undefined);
  t.equal(record.planned.length, 2);
  t.equal(record.kernels.length, 2);
});

t.test('a run that was stopped while it fetched goes on with its whole plan', async (t) => {
  const out = join(place, 'stopped');
  const release = Promise.withResolvers<void>();
  const mirror = await holdingMirror(/linux-(binary|image)-7\.2/, release.promise);
  t.teardown(() => mirror.close());
  const kernels = ['debian:7.2', 'debian:6.12'];
  const first = run(mirror.address, out, kernels);
  await Promise.race([firstResult(out), first]);
  first.kill('SIGINT');
  const stopped = await first;
  t.equal(stopped.exitCode, 130, stopped.stderr);
  t.match(stopped.stdout.replaceAll(/\s+/g, ' '), /has not fetched debian:7\.2 yet/);
  t.same(readRunRecord(out).awaited, ['debian:7.2']);
  release.resolve();
  const rest = await run(mirror.address, out, kernels);
  t.equal(rest.exitCode, 0, rest.stderr);
  t.equal(readRunRecord(out).awaited, undefined);
  t.same(
    readCaseLines(out)
      .map(({ kernel }) => kernel.spec)
      .sort(),
    ['debian:6.12', 'debian:7.2'],
  );
});

t.test('a run that fails does not go on fetching', async (t) => {
  const out = join(place, 'failed');
  const mirror = await holdingMirror(/linux-(binary|image)-7\.1/, new Promise(() => {}));
  t.teardown(() => mirror.close());
  const running = run(mirror.address, out, ['debian:6.12', 'debian:7.1']);
  t.teardown(() => running.kill('SIGKILL'));
  while (!existsSync(join(out, runFiles.run))) await Promise.race([sleep(50), running]);
  // No result can be written.
  mkdirSync(join(out, runFiles.cases));
  const { exitCode, stderr } = await running;
  t.equal(exitCode, 3, stderr);
  t.match(stderr, /cases\.jsonl/);
  t.ok(mirror.asked() > 0, 'the other kernel was asked for, and did not come');
});

t.test('a farm does the same', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-farm-', unsafeCleanup: true });
  t.teardown(cleanup);
  const engine = await Engine.start({ folder: join(path, 'engine') });
  t.teardown(() => engine.stop());
  const out = join(place, 'farm');
  const release = Promise.withResolvers<void>();
  const mirror = await holdingMirror(/linux-(binary|image)-7\.1/, release.promise);
  t.teardown(() => mirror.close());
  const farm = ['--farm', engine.url];
  const worker = ptdiff(['worker', ...farm, '--jobs', '1'], env(mirror.address));
  t.teardown(() => end(worker, 'SIGINT'));
  const running = run(mirror.address, out, ['debian:6.12', 'debian:7.1'], farm);
  await Promise.race([firstResult(out), running]);
  t.same(
    readCaseLines(out).map(({ kernel }) => kernel.spec),
    ['debian:6.12'],
  );
  t.same(readRunRecord(out).awaited, ['debian:7.1']);
  release.resolve();
  const { exitCode, stderr } = await running;
  t.equal(exitCode, 0, stderr);
  t.match(readCaseLines(out), [{ verdict: 'pass' }, { verdict: 'pass' }]);
  t.ok(readCaseLines(out).every(({ worker: who }) => who !== undefined));
});

t.test(
  'a kernel that does not come is said to be missing, and the others are booted',
  async (t) => {
    const out = join(place, 'lost');
    const mirror = await holdingMirror(/^$/, Promise.resolve());
    t.teardown(() => mirror.close());
    const { exitCode, stderr } = await run(mirror.address, out, ['debian:99.9', 'debian:6.12']);
    t.equal(exitCode, 3, stderr);
    t.match(readRunRecord(out).unavailable, [{ spec: 'debian:99.9', reason: /no arm64 kernel/ }]);
    t.same(
      readCaseLines(out).map(({ verdict }) => verdict),
      ['error', 'pass'],
    );
  },
);
