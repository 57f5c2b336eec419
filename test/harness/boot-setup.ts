// SPDX-License-Identifier: GPL-2.0-only
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { buildInitramfs } from '../../guest/build.ts';
import type { BootEvent, CaseSetup } from '../../harness/boot/case-setup.ts';
import type { QemuMachine } from '../../harness/emulator/qemu-command.ts';
import { scratchDirectory } from '../../host/scratch-directory.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { resolveKernel } from '../../images/kernels.ts';
import { geometryOf } from '../../src/linux/geometry.ts';
import { kallsymsOfImage } from '../../src/linux/kallsyms.ts';
import { vmemmapStart } from '../../src/linux/kernel-layout.ts';

/**
 * A boot of a real kernel, cheap and with its console; the emulator is the one of
 * PTDIFF_QEMU_VERSION or the pinned one.
 */
export async function realSetup(
  t: Test,
  spec: string,
  over: Partial<CaseSetup> = {},
): Promise<CaseSetup> {
  const [kernel, emulator, initramfs] = [
    await resolveKernel(spec),
    await packagedEmulator(),
    await buildInitramfs(),
  ];
  // A folder of its own shows what a boot leaves behind.
  const directory = mkdtempSync(join(scratchDirectory(512 << 20), 'ptdiff-test-'));
  t.teardown(() => rmdirSync(directory));
  return {
    kernel: { imagePath: kernel.imagePath, release: kernel.release },
    symbols: kallsymsOfImage(readFileSync(kernel.imagePath)),
    machine: { cpu: 'max', cpus: 1, memory: 512, holes: [], world: 'normal' },
    cpu: 'max,pauth=off,sve=off,sme=off',
    commandLine: 'console=ttyAMA0 earlycon nokaslr panic=-1',
    initramfs: initramfs.path,
    emulator: { command: emulator.command },
    directory,
    vmemmap: vmemmapStart(52, geometryOf(4096)),
    granule: 4096,
    signal: new AbortController().signal,
    onEvent: () => {},
    ...over,
  };
}

/** The QEMU machine of a setup, for tests that start it without boot(). */
export function qemuMachine(setup: CaseSetup, over: Partial<QemuMachine> = {}): QemuMachine {
  const { machine, cpu, initramfs, commandLine, kernel, emulator } = setup;
  const image = kernel.imagePath;
  return { emulator: emulator.command, machine, cpu, image, initramfs, commandLine, ...over };
}

/**
 * An event handler that calls `action` with the process id of QEMU when the guest reaches the first
 * checkpoint.
 */
export function atFirstCheckpoint(action: (pid: number) => void): (event: BootEvent) => void {
  let pid = 0;
  return (event) => {
    if (event.kind === 'started') {
      pid = event.pid;
    } else if (event.kind === 'checkpoint' && event.checkpoint === 'paging_init') {
      action(pid);
    }
  };
}

/** Distance of a symbol from the start of the Image, in bytes. */
export const offsetOf = ({ symbols }: CaseSetup, name: string) =>
  Number((symbols.address(name) ?? 0n) - symbols.textBase);

/**
 * The setup with other instructions in its Image, from `offset` bytes into a function on: 8 is
 * behind what ftrace patches at the entry.
 */
export function patched(
  t: Test,
  setup: CaseSetup,
  name: string,
  offset: number,
  instructions: number[],
): CaseSetup {
  const image = Buffer.from(readFileSync(setup.kernel.imagePath));
  for (const [index, word] of instructions.entries()) {
    image.writeUInt32LE(word >>> 0, offsetOf(setup, name) + offset + index * 4);
  }
  const imagePath = join(t.testdir(), 'Image');
  writeFileSync(imagePath, image);
  return { ...setup, kernel: { ...setup.kernel, imagePath } };
}
