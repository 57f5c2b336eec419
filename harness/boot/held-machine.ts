// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import type { CheckpointName } from '../../src/evidence/capture.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';

/** A machine that is stopped at a checkpoint and handed over to a user. */
export interface HeldMachine {
  /** Process id of QEMU. */
  pid: number;
  /** Path of a socket at which QEMU serves GDB. */
  gdbSocket: string;
  /** Bytes from a symbol's link address to its address in this boot. */
  slide: bigint;
}

/** A request to hand over the machine at a checkpoint. */
export interface Hold {
  checkpoint: CheckpointName;
  /** Path for the socket; at most 100 bytes, see unix(7). */
  gdbSocket: string;
  /** The boot waits until this is settled, and is then given up. */
  until(machine: HeldMachine): Promise<void>;
}

/**
 * Makes QEMU serve GDB again, at another socket. This ends our connection, since its stub serves
 * only one debugger.
 * @throws PtdiffError('emulator') when QEMU refuses
 */
export async function giveToDebugger(vm: VirtualMachine, path: string): Promise<void> {
  vm.gdb.close();
  // QEMU creates the new device before it frees the old one of the same name, and refuses that.
  await monitorCommand(vm, 'gdbserver none');
  const answer = await monitorCommand(
    vm,
    `gdbserver unix:${path.replaceAll(',', ',,')},server=on,wait=off`,
  );
  if (/couldn't|failed|duplicate/i.test(answer)) {
    throw new PtdiffError('emulator', `QEMU cannot serve a debugger at ${path}: ${answer.trim()}.`);
  }
}

async function monitorCommand({ qmp }: VirtualMachine, command: string): Promise<string> {
  return String(await qmp.execute('human-monitor-command', { 'command-line': command }));
}
