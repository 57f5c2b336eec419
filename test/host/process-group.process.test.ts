// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ProcessGroup } from '../../host/process-group.ts';
import { given } from '../given.ts';
import { eventually, groupsBelow, isAlive, type RunningProcess } from '../harness/processes.ts';

/** Two processes that live for longer than any test waits. */
const command = ['sh', '-c', 'sleep 1000; true'];

/** A group at work: its supervisor, the watcher, the command and its child. */
async function atWork(
  scratch: string,
): Promise<{ group: ProcessGroup; members: RunningProcess[] }> {
  const before = new Set(groupsBelow(process.pid).map(({ pid }) => pid));
  const group = await ProcessGroup.start(command, { scratch });
  mkdirSync(scratch);
  group.begin();
  const members = () => groupsBelow(process.pid).filter(({ pid }) => !before.has(pid));
  // The subshell that looks after the scheduling group has ended by the time that the child sleeps.
  await eventually(() => members().length === 4 && members().some(({ name }) => name === 'sleep'));
  return { group, members: members() };
}

const roles = ['supervisor', 'watcher', 'command', "command's child"];

for (const [number, role] of roles.entries()) {
  t.test(`the ${role} killed: the group ends, with all that it had`, async (t) => {
    const scratch = join(t.testdir(), 'scratch');
    const { group, members } = await atWork(scratch);
    t.equal(members.length, roles.length, JSON.stringify(members));
    process.kill(given(members[number]).pid, 'SIGKILL');
    const end = await group.ended;
    t.ok(await eventually(() => !members.some(({ pid }) => isAlive(pid))));
    t.equal(
      existsSync(scratch),
      end.status === 0,
      'only a command that ended well leaves anything',
    );
    await group.end();
    t.notOk(existsSync(scratch));
    if (role === 'watcher') t.match(end, { note: /the process that guards it was killed/ });
  });

  t.test(`the ${role} stopped: end() ends the group, with all that it had`, async (t) => {
    const scratch = join(t.testdir(), 'scratch');
    const { group, members } = await atWork(scratch);
    process.kill(given(members[number]).pid, 'SIGSTOP');
    await group.end();
    t.ok(await eventually(() => !members.some(({ pid }) => isAlive(pid))));
    t.notOk(existsSync(scratch));
  });
}

t.test('what the host cannot start is an error of the host, and says why', async (t) => {
  const long = ProcessGroup.start(['qemu', 'x'.repeat(9 << 20)], {
    scratch: '/nonexistent/scratch',
  });
  await t.rejects(long, {
    name: 'PtdiffError',
    fault: 'host',
    message: /Cannot start qemu: its command line is longer/,
  });
  const wrong = ProcessGroup.start(['qemu', 'a\0b'], { scratch: '/nonexistent/scratch' });
  await t.rejects(wrong, { name: 'PtdiffError', fault: 'host', message: /Cannot start qemu: / });
  const nowhere = ProcessGroup.start(['true'], {
    scratch: '/nonexistent/scratch',
    env: { PATH: '/nonexistent' },
  });
  await t.rejects(nowhere, {
    name: 'PtdiffError',
    fault: 'host',
    message: /Cannot start true: there is no shell/,
  });
});

const module = join(import.meta.dirname, '../../host/process-group.ts');

/** A ptdiff with a group, that does something with it. */
function other(scratch: string, what: string) {
  const code = `import { mkdirSync } from 'node:fs';
    import { ProcessGroup } from ${JSON.stringify(module)};
    const group = await ProcessGroup.start(${JSON.stringify(command)}, { scratch: ${JSON.stringify(scratch)} });
    mkdirSync(${JSON.stringify(scratch)});
    ${what}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

t.test('a ptdiff that is killed before the command has begun leaves nothing behind', async (t) => {
  const scratch = join(t.testdir(), 'scratch');
  const ptdiff = other(scratch, "console.log('made'); setInterval(() => {}, 1000);");
  await once(ptdiff.stdout, 'data');
  const members = groupsBelow(ptdiff.pid ?? 0);
  t.ok(existsSync(scratch));
  ptdiff.kill('SIGKILL');
  await once(ptdiff, 'exit');
  t.ok(await eventually(() => !existsSync(scratch) && !members.some(({ pid }) => isAlive(pid))));
});

t.test('a ptdiff that ends at once has ended what it began', async (t) => {
  const scratch = join(t.testdir(), 'scratch');
  const ptdiff = other(
    scratch,
    "group.begin(); console.log('begun'); setTimeout(() => process.exit(130), 500);",
  );
  await once(ptdiff.stdout, 'data');
  await eventually(() => groupsBelow(ptdiff.pid ?? 0).some(({ name }) => name === 'sleep'));
  const members = groupsBelow(ptdiff.pid ?? 0);
  await once(ptdiff, 'exit');
  t.notOk(existsSync(scratch), 'it is gone before ptdiff is');
  t.ok(await eventually(() => !members.some(({ pid }) => isAlive(pid))));
});

t.test('what a command that ended well has written stays for whoever started it', async (t) => {
  const scratch = join(t.testdir(), 'result');
  const group = await ProcessGroup.start(['sh', '-c', `echo done >'${scratch}'`], { scratch });
  group.begin();
  t.match(await group.ended, { status: 0 });
  t.equal(readFileSync(scratch, 'utf8'), 'done\n');
  await group.end();
  t.notOk(existsSync(scratch), 'and is gone when it says that it needs it no more');
});
