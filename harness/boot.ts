import type { Evidence } from '../src/linux/capture.ts';
import { BootSession } from './boot-session.ts';
import type { CaseSetup } from './case-setup.ts';
import { makeDeviceTree, needsDeviceTree } from './device-tree.ts';
import { findAnchor } from './image-anchor.ts';
import { deathNotice } from './process.ts';
import type { QemuMachine } from './qemu-command.ts';
import { startMachine } from './virtual-machine.ts';

/**
 * Boots a kernel once and observes it from outside: stopped at the checkpoints, its registers and RAM are read. What the
 * kernel does wrong (panic, hang, early end) is evidence; all that was collected before is kept.
 *
 * @throws PtdiffError for what is not the kernel's fault; the signal's reason when it was aborted
 */
export async function boot(setup: CaseSetup): Promise<Evidence> {
  const anchor = findAnchor(setup.kernel.imagePath, setup.symbols);
  const machine: QemuMachine = {
    emulator: setup.emulator.command,
    machine: setup.machine,
    cpu: setup.cpu,
    image: setup.kernel.imagePath,
    initramfs: setup.initramfs,
    commandLine: setup.commandLine,
  };
  const { directory, signal } = setup;
  const deviceTree = needsDeviceTree(machine) ? await makeDeviceTree(machine, directory, signal) : undefined;
  setup.onEvent({ kind: 'prepared', machine, ...(deviceTree && { deviceTree }) });
  const vm = await startMachine(machine, deviceTree, directory, signal);
  try {
    setup.onEvent({ kind: 'started', pid: vm.pid });
    return await new BootSession(setup, vm, anchor).observe();
  } catch (error) {
    setup.signal.throwIfAborted();
    throw (await deathNotice(vm.process)) ?? error;
  } finally {
    await vm.stop();
  }
}
