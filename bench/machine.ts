// SPDX-License-Identifier: GPL-2.0-only
import type { QemuMachine } from '../harness/emulator/qemu-command.ts';
import { commandLine } from '../harness/laboratory/boot-case.ts';
import { cpuNamed } from '../src/scenario/cpus.ts';
import type { BenchLaboratory } from './bench-laboratory.ts';

/** The machine that a case boots, for boots without the harness. */
export function machineOf({ laboratory, kernel, scenario }: BenchLaboratory): QemuMachine {
  return {
    emulator: laboratory.emulator.command,
    machine: scenario.machine,
    cpu: cpuNamed(scenario.machine.cpu).qemu,
    image: kernel.image.imagePath,
    initramfs: laboratory.initramfs.path,
    commandLine: commandLine(kernel, scenario),
    ...(scenario.seed !== undefined && { seed: scenario.seed }),
  };
}
