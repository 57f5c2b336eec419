// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import {
  deathOfQemu,
  longestCpuWait,
  processActivity,
  QemuProcess,
  statFields,
} from '../../../harness/emulator/qemu-process.ts';
import { eventually, isAlive } from '../processes.ts';

/** No scratch folder. */
const nothing = '/nonexistent/scratch';

/** A process that writes its id to a file and then lives for longer than any test waits. */
const script = (file: string) => `echo $$ >${file}.new; mv ${file}.new ${file}; sleep 1000 & wait`;

async function begun(command: string[], scratch = nothing): Promise<QemuProcess> {
  const qemu = await QemuProcess.prepare(command, scratch);
  qemu.begin();
  return qemu;
}

async function pidIn(file: string): Promise<number> {
  for (;;) {
    try {
      return Number(readFileSync(file, 'latin1'));
    } catch {
      await sleep(20);
    }
  }
}

t.test('reports how the command ended and its last words', async (t) => {
  const exit = await (await begun(['sh', '-c', 'echo first >&2; echo last words >&2; exit 3']))
    .exited;
  t.same(exit, { how: 'with status 3', lastWords: 'last words' });
  t.match(deathOfQemu(exit), { fault: 'emulator', message: /with status 3 .* last words/ });
  t.equal((await (await begun(['sh', '-c', 'kill -9 $$'])).exited).how, 'by signal 9');
  t.equal((await (await begun(['/no/such/emulator'])).exited).how, 'with status 127');
});

t.test('stop() ends the command and removes its scratch folder', async (t) => {
  const scratch = t.testdir({ scratch: { ram: '' } });
  const file = join(scratch, 'pid');
  const process = await begun(['sh', '-c', script(file)], join(scratch, 'scratch'));
  const pid = await pidIn(file);
  t.ok(isAlive(pid));
  await process.stop();
  t.same(readdirSync(scratch), ['pid']);
  t.ok(await eventually(() => !isAlive(pid)));
});

const stubborn = (file: string) =>
  `trap '' TERM; echo $$ >${file}.new; mv ${file}.new ${file}; while :; do sleep 1; done`;

t.test('stop() ends a command that ignores SIGTERM, after a while', async (t) => {
  const file = join(t.testdir(), 'pid');
  const process = await begun(['sh', '-c', stubborn(file)]);
  const pid = await pidIn(file);
  const started = performance.now();
  await process.stop();
  t.ok(performance.now() - started > 1000);
  t.ok(await eventually(() => !isAlive(pid)));
});

t.test('stop() ends what a wrapper has started, although the wrapper ends first', async (t) => {
  const file = join(t.testdir(), 'pid');
  const process = await begun(['sh', '-c', 'sh -c "$1"; true', 'wrapper', stubborn(file)]);
  const pid = await pidIn(file);
  await process.stop();
  t.ok(await eventually(() => !isAlive(pid)));
});

t.test('tells how long a thread waited for a CPU', (t) => {
  const wait = longestCpuWait(process.pid);
  t.ok(wait !== undefined && wait >= 0 && wait < performance.now() / 1000 + 60, String(wait));
  t.equal(longestCpuWait(2 ** 22 + 1), undefined);
  t.end();
});

t.test('reads CPU time and state of a process with any name', (t) => {
  t.same(statFields('42 (a) S (b) R 1 2').slice(0, 2), ['R', '1']);
  const activity = processActivity(process.pid);
  t.ok(activity?.runnable && Math.max(...activity.worked.values()) > 0);
  t.equal(processActivity(2 ** 22 + 1), undefined);
  t.end();
});
