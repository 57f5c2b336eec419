// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { bareCommand } from '../../harness/emulator/qemu-command.ts';
import { given } from '../given.ts';
import { qemuMachine, realSetup } from '../harness/boot-setup.ts';
import { eventually } from '../harness/processes.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

function walk(...words: string[]) {
  return execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'walk', ...words],
    { reject: false },
  );
}

t.test('walk looks at a QEMU of the user, and says when it looks at something else', async (t) => {
  const { path, cleanup } = await dir({
    tmpdir: '/dev/shm',
    prefix: 'ptdiff-walk-',
    unsafeCleanup: true,
  });
  t.teardown(cleanup);
  const commandLine = 'console=ttyAMA0 nokaslr -- ptdiff.end=stay';
  const setup = qemuMachine(await realSetup(t, 'debian:6.12', { commandLine }));
  const [ram, console, gdb] = [join(path, 'ram'), join(path, 'console'), join(path, 'gdb')];
  const words = bareCommand(setup).map((word) =>
    word
      .replace(
        /^memory-backend-ram,.*/,
        `memory-backend-file,id=ram,mem-path=${ram},size=${setup.machine.memory}M,share=on`,
      )
      .replace('mon:stdio', `file:${console}`),
  );
  const more = ['-gdb', `unix:${gdb},server=on,wait=off`];
  const qemu = execa(given(words[0]), [...words.slice(1), ...more], {
    reject: false,
    stdin: 'ignore',
  });
  t.teardown(async () => {
    qemu.kill('SIGKILL');
    await qemu;
  });
  const said = () => {
    try {
      return readFileSync(console, 'latin1');
    } catch {
      return '';
    }
  };
  t.ok(await eventually(() => said().includes('Freeing unused kernel memory')), 'the kernel boots');

  const seen = await walk('--ram', ram, '--gdb', gdb);
  t.equal(seen.exitCode, 0, seen.stderr);
  t.match(seen.stdout, /---\[ Linear mapping \]---/);

  const shifted = await walk('--ram', ram, '--gdb', gdb, '--base', '0x80000000');
  t.equal(shifted.exitCode, 2);
  t.match(
    shifted.stderr,
    /contains the RAM from 0x80000000 to 0xa0000000, and the first table of TTBR1_EL1.*check --ram/,
  );
  const near = await walk('--ram', ram, '--gdb', gdb, '--base', '0x40001000');
  t.equal(near.exitCode, 2);
  t.match(
    near.stderr,
    /does not contain the first table of TTBR1_EL1, at 0x\w+, as the machine has it/,
  );
  const other = join(path, 'other');
  writeFileSync(other, Buffer.alloc(setup.machine.memory * 2 ** 20));
  t.equal((await walk('--ram', other, '--gdb', gdb)).exitCode, 2);

  process.kill(qemu.pid ?? 0, 'SIGSTOP');
  const stopped = await walk('--ram', ram, '--gdb', gdb);
  t.equal(stopped.exitCode, 3);
  t.match(
    stopped.stderr,
    /stopped \(SIGSTOP\) or has another debugger: its GDB stub did not answer within 20 s/,
  );
});
