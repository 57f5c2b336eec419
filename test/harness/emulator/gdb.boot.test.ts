import t from 'tap';
import { withMachine } from '../../../harness/emulator/virtual-machine.ts';
import { RAM_BASE } from '../../../src/scenario/memory.ts';
import { given } from '../../given.ts';
import { realSetup } from '../boot-setup.ts';

t.test('memory that is not there is told from memory, however few bytes are asked for', async (t) => {
  const setup = await realSetup(t, 'debian:6.12');
  const { machine, cpu, initramfs, commandLine, kernel, emulator } = setup;
  const qemu = { emulator: emulator.command, machine, cpu, image: kernel.imagePath, initramfs, commandLine };
  await withMachine(qemu, {}, setup, async ({ gdb }) => {
    const thread = given((await gdb.threads())[0]);
    t.equal((await gdb.peekMemory(thread, BigInt(RAM_BASE), 4))?.length, 4);
    // Above everything in the memory map of the machine.
    for (const bytes of [1, 2, 16]) {
      t.equal(await gdb.peekMemory(thread, 1n << 46n, bytes), undefined);
    }
    await t.rejects(gdb.readMemory(thread, 1n << 46n, 1), { fault: 'emulator', message: /cannot read 1 bytes/ });
  });
});
