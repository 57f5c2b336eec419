// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t from 'tap';
import { Engine, forgetEngine } from '../../../../harness/laboratory/farm/engine.ts';
import { readCaseLines } from '../../../../results/run-folder.ts';
import { end, lease, Network, ptdiff, until } from './farm-setup.ts';
import { farmOf, whole } from './recorded-farm.ts';

// Every process here is a real one, and so is the engine; boots are replaced by a recorded one,
// see recorded-worker.ts.

t.test('three workers share a run; nothing of it is left at the engine', async (t) => {
  const farm = await farmOf(t);
  for (const label of ['a', 'b', 'c']) farm.worker(label);
  const { exitCode, all } = await farm.run(60);
  t.equal(exitCode, 0, all);
  whole(t, farm, 60);
  t.same(new Set(readCaseLines(farm.out).map(({ worker }) => worker)), new Set(['a', 'b', 'c']));
  const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
  const status = JSON.parse(stdout);
  t.match(status.queues[0], { waiting: 0, active: 0, failed: 0 });
  t.equal(status.workers.length, 3);
});

t.test('a status says what a worker runs, and that it is idle, before its next beat', async (t) => {
  const farm = await farmOf(t);
  // Beats are minutes apart.
  const env = { PTDIFF_FARM_LEASE: '600', RECORDED_MILLISECONDS: '3000', RECORDED_JOBS: '1' };
  farm.worker('slow', env);
  const told = async () => {
    const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
    return JSON.parse(stdout).workers.find(({ label }: { label: string }) => label === 'slow');
  };
  const run = farm.run(3);
  await until(async () => (await told())?.running.length === 1);
  const { exitCode, all } = await run;
  t.equal(exitCode, 0, all);
  await until(async () => (await told()).running.length === 0);
  t.match(await told(), { done: 3, failed: 0 });
});

t.test('a run gives out a few cases more than the workers have places, not all', async (t) => {
  const farm = await farmOf(t);
  farm.worker('slow', { RECORDED_MILLISECONDS: '600000', RECORDED_JOBS: '2' });
  const run = farm.run(200);
  const cases = async () => {
    const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
    return JSON.parse(stdout).queues[0];
  };
  await until(async () => (await cases()).waiting > 0);
  await sleep(500);
  // Two, and one again, and two.
  t.match(await cases(), { active: 2, waiting: 3 });
  run.kill('SIGINT');
  t.equal((await run).exitCode, 130);
});

t.test('workers that are killed and stopped', async (t) => {
  const farm = await farmOf(t);
  const killed = farm.worker('killed', { RECORDED_MILLISECONDS: '300' });
  const stopped = farm.worker('stopped', { RECORDED_MILLISECONDS: '300' });
  const run = farm.run(40);
  await until(() => farm.lines() > 4);
  killed.kill('SIGKILL');
  stopped.kill('SIGSTOP');
  farm.worker('steady');
  const { exitCode, all } = await run;
  t.equal(exitCode, 0, all);
  // It wakes with two cases at work that others have done long since.
  stopped.kill('SIGCONT');
  await sleep(1000);
  whole(t, farm, 40);
});

t.test('workers whose clocks are wrong by hours', async (t) => {
  const farm = await farmOf(t);
  const late = farm.worker('late', { RECORDED_HOURS: '-30', RECORDED_MILLISECONDS: '300' });
  farm.worker('early', { RECORDED_HOURS: '30' });
  const run = farm.run(40);
  await until(() => farm.lines() > 4);
  // What it had at work stalls, and is taken over by a host of another time.
  late.kill('SIGKILL');
  const { exitCode, all } = await run;
  t.equal(exitCode, 0, all);
  whole(t, farm, 40);
});

t.test('a case that three workers die of is an error, and the kernel is not blamed', async (t) => {
  const farm = await farmOf(t);
  const env = { RECORDED_FAULT: 'die', RECORDED_FAULTY: 'seed-00003', RECORDED_JOBS: '1' };
  let deaths = 0;
  let over = false;
  const keep = async () => {
    while (!over) {
      const worker = farm.worker('mortal', env);
      await worker;
      if (!over) deaths++;
    }
  };
  const keeping = keep();
  const steady = farm.run(8);
  const { exitCode, all } = await steady;
  over = true;
  t.equal(exitCode, 3, all);
  t.equal(deaths, 3);
  const [failed, ...others] = readCaseLines(farm.out).filter(({ verdict }) => verdict === 'error');
  t.same(others, []);
  t.match(failed, { case: /seed-00003/, reason: /^3 workers were lost while they ran it/ });
  t.equal(readCaseLines(farm.out).length, 8);
  await Promise.race([keeping, sleep(1)]);
});

t.test('a host whose disk is full does not spoil the run for others', async (t) => {
  const farm = await farmOf(t);
  farm.worker('full', { RECORDED_FAULT: 'host', RECORDED_FAULTY: '.', RECORDED_MILLISECONDS: '1' });
  const run = farm.run(30);
  await until(async () => {
    const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
    return JSON.parse(stdout).workers.some((worker: { failed: number }) => worker.failed > 0);
  });
  farm.worker('steady');
  const { exitCode, all } = await run;
  t.equal(exitCode, 0, all);
  whole(t, farm, 30);
});

t.test('what a worker makes up is an error that names it', async (t) => {
  const farm = await farmOf(t);
  farm.worker('liar', { RECORDED_FAULT: 'mangle', RECORDED_FAULTY: 'seed-00001' });
  const { exitCode, all } = await farm.run(4);
  t.equal(exitCode, 3, all);
  const failed = readCaseLines(farm.out).filter(({ verdict }) => verdict === 'error');
  t.equal(failed.length, 1);
  t.match(failed[0]?.reason, /^What the worker liar sent for .*seed-00001 is no result of it: /);
});

t.test('a coordinator that is killed is gone on with, and takes what came meanwhile', async (t) => {
  const farm = await farmOf(t);
  farm.worker('steady', { RECORDED_MILLISECONDS: '200' });
  const first = farm.run(30);
  await until(() => farm.lines() > 3);
  first.kill('SIGKILL');
  await first;
  await sleep(500);
  const { exitCode, all } = await farm.run(30);
  t.equal(exitCode, 0, all);
  whole(t, farm, 30);
});

t.test('Ctrl-C keeps what there is, and frees the workers', async (t) => {
  const farm = await farmOf(t);
  const worker = farm.worker('slow', { RECORDED_MILLISECONDS: '600000', RECORDED_FAULTY: 'x' });
  const first = farm.run(5);
  const working = async () => {
    const { stdout } = await ptdiff(['farm', 'status', '--farm', farm.url, '--json']);
    const [cases] = JSON.parse(stdout).queues;
    return cases.active + cases.waiting;
  };
  await until(async () => (await working()) > 0);
  first.kill('SIGINT');
  t.equal((await first).exitCode, 130);
  await until(async () => (await working()) === 0);
  await end(worker, 'SIGINT');
  farm.worker('quick');
  const { exitCode, all } = await farm.run(5);
  t.equal(exitCode, 0, all);
  whole(t, farm, 5);
});

for (const forget of [false, true]) {
  t.test(
    `an engine killed and started again ${forget ? 'without' : 'with'} its data`,
    async (t) => {
      const farm = await farmOf(t);
      for (const label of ['a', 'b', 'c']) farm.worker(label, { RECORDED_MILLISECONDS: '200' });
      const run = farm.run(60);
      await until(() => farm.lines() > 5);
      await farm.engine.kill();
      const folder = join(farm.folder, 'engine');
      if (forget) forgetEngine(folder);
      await sleep(1000);
      const again = await Engine.start({ folder, port: Number(new URL(farm.url).port) });
      t.teardown(() => again.stop());
      const { exitCode, all } = await run;
      t.equal(exitCode, 0, all);
      whole(t, farm, 60);
      t.match(all, /lost the farm at 127\.0\.0\.1:\d+; waiting for it[\s\S]* is back/);
    },
  );
}

for (const how of ['cut', 'freeze'] as const) {
  t.test(
    `a network that is ${how === 'cut' ? 'cut' : 'silent'} for longer than a lease`,
    async (t) => {
      const farm = await farmOf(t);
      const network = await Network.start(Number(new URL(farm.engine.url).port));
      t.teardown(() => network.close());
      farm.worker('near', { RECORDED_MILLISECONDS: '200' });
      const direct = new URL(farm.url);
      direct.port = String(network.port);
      farm.url = direct.href;
      farm.worker('far', { RECORDED_MILLISECONDS: '200' });
      const run = farm.run(60);
      await until(() => farm.lines() > 5);
      if (how === 'cut') network.cut();
      else network.freeze();
      await sleep(lease * 1500);
      if (how === 'freeze') network.cut();
      network.mend();
      const { exitCode, all } = await run;
      t.equal(exitCode, 0, all);
      whole(t, farm, 60);
    },
  );
}

t.test('lines that carry nothing any more, though nobody is told, are made anew', async (t) => {
  const farm = await farmOf(t);
  const network = await Network.start(Number(new URL(farm.engine.url).port));
  t.teardown(() => network.close());
  const direct = new URL(farm.url);
  direct.port = String(network.port);
  farm.url = direct.href;
  // Nobody else could do what it has at work.
  farm.worker('far', { RECORDED_MILLISECONDS: '200' });
  const run = farm.run(20);
  await until(() => farm.lines() > 5);
  network.loseLines();
  const { exitCode, all } = await run;
  t.equal(exitCode, 0, all);
  whole(t, farm, 20);
});

t.test('a worker of another ptdiff is refused, and so is a run', async (t) => {
  const farm = await farmOf(t);
  const early = farm.worker('early', { RECORDED_DIGEST: 'e'.repeat(64) });
  await sleep(500);
  const run = farm.run(4);
  const late = async () => {
    const worker = farm.worker('late', { RECORDED_DIGEST: 'd'.repeat(64) });
    return worker;
  };
  const told = await early;
  t.equal(told.exitCode, 2);
  t.match(told.all, /runs ptdiff .*, and this worker is ptdiff .*sources eeeeeeee.*: bring it to/);
  t.match((await late()).all, /and this worker is ptdiff .*sources dddddddd/);
  farm.worker('right');
  t.equal((await run).exitCode, 0);
  whole(t, farm, 4);
});

t.test('the ACL of docs/farm.md is enough for a farm, and for nothing else', async (t) => {
  const farm = await farmOf(t);
  const document = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'farm.md');
  const [, acl = ''] = /```acl\n([\s\S]*?)```/.exec(readFileSync(document, 'utf8')) ?? [];
  const admin = new Redis(farm.url);
  t.teardown(() => admin.disconnect());
  const password = 'p'.repeat(20);
  const users = acl.trim().split('\n').slice(1);
  t.equal(users.length, 2);
  for (const line of users) {
    const [, name = '', ...rules] = line.replace('PASSWORD', password).split(' ');
    await admin.call('ACL', 'SETUSER', name, ...rules);
  }
  const port = new URL(farm.url).port;
  const urlOf = (name: string) => `redis://${name}:${password}@127.0.0.1:${port}`;
  farm.url = urlOf('worker');
  farm.worker('w');
  farm.url = urlOf('ptdiff');
  const { exitCode, all } = await farm.run(10);
  t.equal(exitCode, 0, all);
  whole(t, farm, 10);
  t.equal((await ptdiff(['farm', 'status', '--farm', farm.url])).exitCode, 0);
  for (const name of ['worker', 'ptdiff']) {
    const client = new Redis(urlOf(name));
    for (const words of [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['GET', 'x'], ['KEYS', '*']])
      await t.rejects(client.call(words[0] ?? '', ...words.slice(1)), /NOPERM/, words.join(' '));
    client.disconnect();
  }
});

t.test('an engine that is not there, or does not let one in', async (t) => {
  const farm = await farmOf(t);
  const wrong = farm.url.replace(/:[0-9a-f]{48}@/, ':wrong@');
  for (const [url, code, why] of [
    [wrong, 2, /does not let this user in: check user and password/],
    ['redis://127.0.0.1:1', 3, /Cannot reach the farm at 127\.0\.0\.1:1: .*ECONNREFUSED/],
  ] as const) {
    const { exitCode, all } = await ptdiff(['farm', 'status', '--farm', url]);
    t.equal(exitCode, code, all);
    t.match(all, why);
    t.notMatch(all, /wrong@|[0-9a-f]{48}/);
  }
});
