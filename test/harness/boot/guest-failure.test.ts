// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { hasFinishedPanic, lastLine, panicMessage } from '../../../harness/boot/guest-failure.ts';
import { parseStop } from '../../../harness/emulator/gdb.ts';
import {
  deviceTreeCommand,
  machineArguments,
  type QemuMachine,
  watchedCommand,
} from '../../../harness/emulator/qemu-command.ts';

t.test('quotes the kernel, bounded and without control characters', (t) => {
  const console =
    '[    1.0] Kernel panic - not syncing: Attempted\u001b[31m to kill init!\u0007 exitcode=0x00000100\r\n[ 1.1] CPU: 0\r\n';
  t.equal(panicMessage(console), 'Attempted to kill init! exitcode=0x00000100');
  t.equal(panicMessage('all is well'), undefined);
  t.equal(lastLine(`${console}\r\n \n`), '[ 1.1] CPU: 0');
  t.equal(lastLine(''), '<empty console>');
  t.ok(lastLine('x'.repeat(5000)).length <= 200);
  t.ok(hasFinishedPanic(`${console}[ 1.2] ---[ end Kernel panic - not syncing: x ]---`));
  t.notOk(hasFinishedPanic(console));
  t.end();
});

t.test('reads stop replies of QEMU', (t) => {
  t.same(parseStop('T05thread:p01.02;'), { kind: 'stopped', signal: 5, thread: 'p01.02' });
  t.same(parseStop('T02thread:01;swbreak:;'), { kind: 'stopped', signal: 2, thread: '01' });
  t.same(parseStop('W00'), { kind: 'exited', detail: 'W00' });
  t.throws(() => parseStop('E22'), { name: 'PtdiffError', fault: 'emulator' });
  t.end();
});

const machine: QemuMachine = {
  emulator: ['ld.so', 'qemu'],
  machine: { cpu: 'max', cpus: 2, memory: 768, holes: [], world: 'normal' },
  cpu: 'max,midr=0x410fd842',
  image: '/k/Image',
  initramfs: '/i/init.cpio',
  commandLine: 'a=1,2 "b c"',
};

t.test('a machine is the same under the harness and without it', (t) => {
  const paths = {
    ramFile: '/s,1/ram',
    consoleFile: '/s/c',
    pidFile: '/s/p',
    gdbSocket: '/s/g',
    qmpSocket: '/s/q',
  };
  const watched = watchedCommand(machine, paths);
  const bare = machineArguments(machine);
  t.same(watched.slice(0, 2 + bare.length), ['ld.so', 'qemu', ...bare]);
  t.ok(watched.includes('memory-backend-file,id=ram,mem-path=/s,,1/ram,size=768M,share=on'));
  t.equal(watched[watched.indexOf('-append') + 1], 'a=1,2 "b c"');
  t.notOk(bare.includes('-dtb'));
  t.same(machineArguments({ ...machine, deviceTree: '/s/dtb' }).slice(-2), ['-dtb', '/s/dtb']);
  t.same(deviceTreeCommand(machine, '/o,dtb').slice(-2), ['-machine', 'dumpdtb=/o,,dtb']);
  t.end();
});
