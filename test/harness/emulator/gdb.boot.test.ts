// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { withMachine } from '../../../harness/emulator/virtual-machine.ts';
import { RAM_BASE } from '../../../src/scenario/memory.ts';
import { given } from '../../given.ts';
import { qemuMachine, realSetup } from '../boot-setup.ts';

t.test(
  'memory that is not there is told from memory, however few bytes are asked for',
  async (t) => {
    const setup = await realSetup(t, 'debian:6.12');
    await withMachine(qemuMachine(setup), {}, setup, async ({ gdb }) => {
      const thread = given((await gdb.threads())[0]);
      t.equal((await gdb.peekMemory(thread, BigInt(RAM_BASE), 4))?.length, 4);
      // Above everything in the memory map of the machine.
      for (const bytes of [1, 2, 16]) {
        t.equal(await gdb.peekMemory(thread, 1n << 46n, bytes), undefined);
      }
      await t.rejects(gdb.readMemory(thread, 1n << 46n, 1), {
        fault: 'emulator',
        message: /cannot read 1 bytes/,
      });
    });
  },
);

t.test(
  'a CPU that steps over its breakpoint has left it, though others come to theirs meanwhile',
  async (t) => {
    const setup = await realSetup(t, 'debian:7.3');
    const { symbols } = setup;
    const qemu = qemuMachine(setup, { machine: { ...setup.machine, cpus: 4 } });
    await withMachine(qemu, {}, setup, async ({ gdb }) => {
      // Where all CPUs come by, again and again.
      const hot = given(symbols.address('__schedule'));
      await gdb.insertBreakpoint(given(symbols.address('smp_cpus_done')));
      const { thread } = (await gdb.resume()) as { thread: string };
      await gdb.removeBreakpoint(await gdb.readRegister(thread, 'pc'));
      await gdb.insertBreakpoint(hot);
      let stayed = 0;
      const cpus = new Set<string>();
      for (let stop = 0; stop < 600; stop++) {
        const at = (await gdb.resume()) as { thread: string };
        cpus.add(at.thread);
        await gdb.stepOver(at.thread, hot);
        if ((await gdb.readRegister(at.thread, 'pc')) === hot) stayed++;
      }
      t.equal(stayed, 0);
      t.equal(cpus.size, 4);
    });
  },
);
