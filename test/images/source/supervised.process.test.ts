// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runSupervised } from '../../../images/source/supervised.ts';
import { eventually, isAlive } from '../../harness/processes.ts';

const root = t.testdir();
process.env.PTDIFF_CACHE = root;
const env = { PATH: process.env.PATH ?? '' };

const readPid = (path: string): number => Number(readFileSync(path, 'utf8'));

t.test('a command tells its end and what it said, and nothing of its supervisor', async (t) => {
  t.match(await runSupervised(['sh', '-c', 'echo exit 7; printf x; echo why >&2; exit 3'], env), {
    status: 3,
    stdout: 'exit 7\nx',
    stderr: 'why',
  });
  t.equal((await runSupervised(['no-such-command'], env)).status, 127);
});

t.test('an interruption ends a command with its children before it is told', async (t) => {
  const controller = new AbortController();
  const children = join(root, 'pids');
  const script = `sleep 1000 & echo $! >'${children}'; wait`;
  const running = runSupervised(['sh', '-c', script], env, { signal: controller.signal });
  t.ok(await eventually(() => existsSync(children) && readPid(children) > 0));
  controller.abort(new Error('interrupted'));
  await running;
  t.notOk(isAlive(readPid(children)));
  t.same(readdirSync(join(root, 'tmp')), []);
  await t.rejects(runSupervised(['true'], env, { signal: controller.signal }), {
    message: 'interrupted',
  });
});

t.test('a command ends with a ptdiff that is killed', async (t) => {
  const module = join(import.meta.dirname, '../../../images/source/supervised.ts');
  const code = `import { runSupervised } from ${JSON.stringify(module)};
    await runSupervised(['sh', '-c', 'echo $$ >"$0"; sleep 1000', ${JSON.stringify(join(root, 'pid'))}], { PATH: process.env.PATH });`;
  const ptdiff = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: 'inherit',
  });
  t.ok(await eventually(() => existsSync(join(root, 'pid')) && readPid(join(root, 'pid')) > 0));
  const pid = readPid(join(root, 'pid'));
  t.ok(isAlive(pid));
  ptdiff.kill('SIGKILL');
  await once(ptdiff, 'exit');
  t.ok(await eventually(() => !isAlive(pid)));
});
