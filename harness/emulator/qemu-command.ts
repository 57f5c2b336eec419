// SPDX-License-Identifier: GPL-2.0-only
import type { MonitorPlaces } from '../../guest/monitor-firmware.ts';
import { hasDmaAlias } from '../../src/scenario/address-space.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { defaultSeed } from '../../src/scenario/variation.ts';
import { aliasArguments, deviceArguments, memoryArgument } from './qemu-devices.ts';
import { escapeComma, ramBackend } from './qemu-options.ts';

/** The parts of a QEMU command line. Paths are as QEMU should see them. */
export interface QemuMachine {
  emulator: string[];
  machine: Machine;
  cpu: string;
  image: string;
  initramfs: string;
  commandLine: string;
  /** Determines what QEMU makes random (RNDR) and the KASLR seed; default: defaultSeed. */
  seed?: number;
  /** ptdiff's own device tree instead of QEMU's. */
  deviceTree?: string;
  /**
   * The realm monitor's flash image, which starts the kernel instead of QEMU; it needs a device
   * tree.
   */
  monitor?: MonitorPlaces & { flash: string };
  /** The user's own flash image. If there is a kernel, the image starts it instead of QEMU. */
  userFirmware?: string;
  /** What the machine's devices deliver; without it the machine has none. */
  deviceData?: string;
}

/** Files and sockets through which the harness observes a machine. */
interface QemuInstruments {
  ramFile: string;
  consoleFile: string;
  pidFile: string;
  gdbSocket: string;
  qmpSocket: string;
  /** Words that load the recorder. */
  recorder?: string[];
}

/**
 * The machine alone: everything that the guest can see, and nothing that observes it. No default
 * devices, and no clock or seed that differs between boots.
 */
export function machineArguments(setup: QemuMachine): string[] {
  return [
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-machine', ['virt,gic-version=3,dtb-randomness=off', ...machineOptions(setup)].join(',')],
    ...['-cpu', setup.machine.firmware === 'monitor-rme' ? `${setup.cpu},x-rme=on` : setup.cpu],
    ...['-smp', String(setup.machine.cpus), '-m', memoryArgument(setup.machine, memoryOf(setup))],
    ...['-rtc', 'base=2026-01-01T00:00:00,clock=vm', '-seed', String(setup.seed ?? defaultSeed)],
    ...(setup.userFirmware === undefined ? [] : ['-bios', setup.userFirmware]),
    ...(setup.monitor === undefined
      ? bootArguments(setup)
      : monitorArguments(setup, setup.monitor)),
    ...(setup.deviceData === undefined
      ? []
      : deviceArguments(setup.machine.devices ?? [], setup.deviceData)),
  ];
}

/** The machine's RAM in a file, and also at its alias where devices need that. */
function ramArguments(setup: QemuMachine, ramFile: string): string[] {
  const backend = ramBackend('ram', ramFile, memoryOf(setup));
  return [
    '-object',
    backend,
    '-machine',
    'memory-backend=ram',
    ...aliasArguments(setup.machine, ramFile),
  ];
}

/** Options of the `virt` machine besides those of every boot. */
function machineOptions({ machine, monitor }: QemuMachine): string[] {
  const { firmware, entry, world, its } = machine;
  const hotplug = monitor !== undefined && hasDmaAlias(machine);
  return [
    ...(firmware === 'monitor-rme' ? ['secure=on'] : []),
    ...(firmware === undefined && entry === undefined ? [] : ['virtualization=on']),
    // With ACPI, a machine that starts from flash lacks the GPIO controller of the device tree;
    // without it, the machine has no hot-plugged memory.
    ...(firmware === undefined || hotplug ? [] : ['acpi=off']),
    ...(its === false ? ['its=off'] : []),
    // The upper window for PCI devices is at 2^39, where the aliases of a realm begin.
    ...(world === 'realm' ? ['highmem-mmio=off'] : []),
    // Otherwise QEMU would place other regions after the alias of the RAM.
    ...(hasDmaAlias(machine) ? ['highmem-ecam=off', 'highmem-redists=off'] : []),
  ];
}

/** RAM of guest and monitor, in bytes. */
function memoryOf({ machine, monitor }: QemuMachine): number {
  return machine.memory * 2 ** 20 + (monitor?.memory ?? 0);
}

/**
 * QEMU's own boot loader (hw/arm/boot.c), or the user's firmware, which finds the same through
 * fw_cfg; it may have a kernel of its own.
 */
function bootArguments({
  image,
  initramfs,
  commandLine,
  deviceTree,
  userFirmware,
}: QemuMachine): string[] {
  if (userFirmware !== undefined && image === '') return [];
  return [
    ...['-kernel', image, '-initrd', initramfs, '-append', commandLine],
    ...(deviceTree === undefined ? [] : ['-dtb', deviceTree]),
  ];
}

/** The command line and the address of the initial RAM disk are in the device tree. */
function monitorArguments(
  { image, initramfs, deviceTree = '' }: QemuMachine,
  monitor: MonitorPlaces & { flash: string },
): string[] {
  return [
    ...['-bios', monitor.flash],
    ...loaded(image, monitor.image),
    ...loaded(initramfs, monitor.initramfs),
    ...loaded(deviceTree, monitor.deviceTree),
  ];
}

function loaded(file: string, address: number): string[] {
  return [
    '-device',
    `loader,file=${escapeComma(file)},addr=0x${address.toString(16)},force-raw=on`,
  ];
}

/**
 * The command line under the harness: RAM in a file that others can read, the machine stopped at
 * reset, and stopped (not ended) when the guest resets or powers off. QEMU connects to the sockets,
 * so the listener knows when it is ready.
 */
export function watchedCommand(setup: QemuMachine, instruments: QemuInstruments): string[] {
  return [
    ...setup.emulator,
    ...machineArguments(setup),
    ...ramArguments(setup, instruments.ramFile),
    ...[
      '-chardev',
      `file,id=console,path=${escapeComma(instruments.consoleFile)}`,
      '-serial',
      'chardev:console',
    ],
    ...[
      '-qmp',
      `unix:${escapeComma(instruments.qmpSocket)}`,
      '-gdb',
      `unix:${escapeComma(instruments.gdbSocket)}`,
    ],
    ...(instruments.recorder ?? []),
    ...['-pidfile', instruments.pidFile, '-action', 'reboot=shutdown,shutdown=pause', '-S'],
  ];
}

/**
 * RAM that uses host memory only where it is touched: otherwise the host refuses a machine with
 * more memory than its own.
 */
function untouchedRam(setup: QemuMachine): string[] {
  const backend = `memory-backend-ram,id=ram,size=${memoryOf(setup) / 2 ** 20}M,reserve=off`;
  return ['-object', backend, '-machine', 'memory-backend=ram'];
}

/**
 * The command line for a user: the same machine with its console on the terminal; it ends when the
 * guest resets.
 * @param ramFile path for its RAM, if the machine needs a file
 */
export function bareCommand(setup: QemuMachine, ramFile = ''): string[] {
  const ram = hasDmaAlias(setup.machine) ? ramArguments(setup, ramFile) : untouchedRam(setup);
  return [
    ...setup.emulator,
    ...machineArguments(setup),
    ...ram,
    '-serial',
    'mon:stdio',
    '-no-reboot',
  ];
}

/** Makes QEMU write the device tree that it would give this machine, and exit. */
export function deviceTreeCommand(setup: QemuMachine, outputFile: string): string[] {
  const dump = ['-machine', `dumpdtb=${escapeComma(outputFile)}`];
  return [...setup.emulator, ...machineArguments(setup), ...untouchedRam(setup), ...dump];
}
