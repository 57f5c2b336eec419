import type { Machine } from '../src/scenario/types.ts';

/** Physical address of the first byte of RAM of QEMU's `virt` machine (hw/arm/virt.c). */
export const ramBase = 0x40000000;

/** What a QEMU command line is made of. Paths as QEMU shall see them. */
export interface QemuMachine {
  emulator: string[];
  machine: Machine;
  cpu: string;
  image: string;
  initramfs: string;
  commandLine: string;
  /** A device tree of our own instead of QEMU's. */
  deviceTree?: string;
}

/** Files and sockets by which the harness watches a machine. */
export interface QemuInstruments {
  ramFile: string;
  consoleFile: string;
  pidFile: string;
  gdbSocket: string;
  qmpSocket: string;
}

/**
 * The machine alone: all that the guest can see, and nothing by which it is watched. No default devices, and no clock
 * or seed that differs from one boot to the next.
 */
export function machineArguments(setup: QemuMachine): string[] {
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', 'virt,gic-version=3,dtb-randomness=off'],
    ...['-cpu', setup.cpu, '-smp', String(setup.machine.cpus), '-m', `${setup.machine.memory}M`],
    ...['-rtc', 'base=2026-01-01T00:00:00,clock=vm', '-seed', '1'],
    ...['-kernel', setup.image, '-initrd', setup.initramfs, '-append', setup.commandLine],
    ...(setup.deviceTree === undefined ? [] : ['-dtb', setup.deviceTree]),
  ];
}

/**
 * The command line under the harness: RAM in a file that others can read, the machine stopped at reset, and stopped
 * (not ended) when the guest resets or powers off. QEMU connects to the sockets: who listens knows when it is there.
 */
export function watchedCommand(setup: QemuMachine, instruments: QemuInstruments): string[] {
  return [
    ...setup.emulator,
    ...machineArguments(setup),
    ...['-object', ramBackend(instruments.ramFile, setup.machine.memory), '-machine', 'memory-backend=ram'],
    ...['-chardev', `file,id=console,path=${escapeComma(instruments.consoleFile)}`, '-serial', 'chardev:console'],
    ...['-qmp', `unix:${escapeComma(instruments.qmpSocket)}`, '-gdb', `unix:${escapeComma(instruments.gdbSocket)}`],
    ...['-pidfile', instruments.pidFile, '-action', 'reboot=shutdown,shutdown=pause', '-S'],
  ];
}

/** The command line for a person: the same machine with its console on the terminal, ended by the guest's reset. */
export function bareCommand(setup: QemuMachine): string[] {
  return [...setup.emulator, ...machineArguments(setup), '-serial', 'mon:stdio', '-no-reboot'];
}

/** Makes QEMU write the device tree that it would give this machine, and end. */
export function deviceTreeCommand(setup: QemuMachine, outputFile: string): string[] {
  return [...setup.emulator, ...machineArguments(setup), '-machine', `dumpdtb=${escapeComma(outputFile)}`];
}

function ramBackend(path: string, mebibytes: number): string {
  return `memory-backend-file,id=ram,mem-path=${escapeComma(path)},size=${mebibytes}M,share=on`;
}

/** In QEMU's key=value lists a comma within a value is written twice. */
function escapeComma(value: string): string {
  return value.replaceAll(',', ',,');
}
