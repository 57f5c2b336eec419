// SPDX-License-Identifier: GPL-2.0-only
import type { CaseSetup } from '../../harness/boot/case-setup.ts';
import { withMachine } from '../../harness/emulator/virtual-machine.ts';
import { unsignedInteger } from '../../src/linux/variables.ts';
import { given } from '../given.ts';
import { qemuMachine } from './boot-setup.ts';

/**
 * Boots a real kernel until start_kernel() has parsed its whole command line and comes to
 * mm_core_init(), and reads variables there: a second or two, where a boot to user space takes
 * many. The command line must hold nokaslr.
 * @param variables bytes of each, by symbol
 */
export async function variablesAfterParsing<Name extends string>(
  setup: CaseSetup,
  commandLine: string,
  variables: Readonly<Record<Name, number>>,
): Promise<Record<Name, bigint>> {
  const { kernel, symbols } = setup;
  const qemu = qemuMachine(setup, { commandLine });
  const address = (name: string): bigint => {
    const found = symbols.address(name);
    if (found === undefined) throw new Error(`${kernel.release} has no ${name}`);
    return found;
  };
  return withMachine(qemu, {}, setup, async ({ gdb }) => {
    const thread = given((await gdb.threads())[0]);
    await gdb.insertBreakpoint(address('mm_core_init'));
    await gdb.resume();
    const read = Object.entries<number>(variables).map(async ([name, bytes]) => {
      return [name, unsignedInteger(await gdb.readMemory(thread, address(name), bytes))] as const;
    });
    return Object.fromEntries(await Promise.all(read)) as Record<Name, bigint>;
  });
}
