// SPDX-License-Identifier: GPL-2.0-only
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { GdbClient } from '../../harness/emulator/gdb.ts';
import { given } from '../given.ts';
import { eventually, isAlive } from '../harness/processes.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const command = ['--disable-warning=ExperimentalWarning', main, 'run', '--kernel', 'debian:7.3'];

t.test(
  'a boot that is kept at a checkpoint is there for a debugger, and gone at Ctrl-C',
  async (t) => {
    const words = [...command, '--scenario', 'neoverse-v3-r0p2+kaslr', '--stop-at', 'free_initmem'];
    const ptdiff = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => ptdiff.kill('SIGKILL'));
    let told = '';
    for await (const text of ptdiff.stdout.setEncoding('utf8')) {
      told += text;
      if (told.includes('Ctrl-C')) break;
    }
    t.match(
      told,
      /^7\.3\.\S+ is stopped at free_initmem \(QEMU is process \d+; slide 0x[1-9a-f][0-9a-f]+\)/,
    );
    const path = /target remote ([^']+)/.exec(told)?.[1] ?? '';
    const pid = Number(/process (\d+)/.exec(told)?.[1]);
    const socket = connect(path);
    await once(socket, 'connect');
    const gdb = await GdbClient.open(socket);
    const thread = given((await gdb.threads())[0]);
    const pc = await gdb.readRegister(thread, 'pc');
    t.ok(pc > 0xffff_8000_0000_0000n, 'in the kernel');
    const symbols = /symbol-file ([^']+)/.exec(told)?.[1] ?? '';
    t.ok(existsSync(symbols), 'with its symbols');
    gdb.close();
    ptdiff.kill('SIGINT');
    const [code] = await once(ptdiff, 'exit');
    t.equal(code, 0);
    t.ok(await eventually(() => !isAlive(pid)));
    t.notOk(existsSync(dirname(path)));
  },
);

t.test('--stop-at is for one case, and for a checkpoint that there is', async (t) => {
  const ask = async (...words: string[]) =>
    (await execa(process.execPath, [...command, ...words], { reject: false })).stderr;
  t.match(
    await ask('--scenario', 'max', '--stop-at', 'fre_initmem'),
    /Did you mean free_initmem\?/,
  );
  t.match(await ask('--scenario', 'telling', '--stop-at', 'init'), /one case/);
});
