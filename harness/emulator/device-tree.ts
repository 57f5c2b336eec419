// SPDX-License-Identifier: GPL-2.0-only
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { within } from '../../host/deadline.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import {
  childNode,
  type DeviceTree,
  fdtCells,
  parseFdt,
  serialiseFdt,
  setProperty,
  words,
} from '../../src/linux/fdt.ts';
import { first } from '../../src/present.ts';
import { hasDmaAlias } from '../../src/scenario/address-space.ts';
import type { LoadPlaces } from '../../src/scenario/load-places.ts';
import type { MemoryRange } from '../../src/scenario/types.ts';
import { defaultSeed } from '../../src/scenario/variation.ts';
import { deviceTreeCommand, type QemuMachine } from './qemu-command.ts';
import { deathOfQemu, QemuProcess, startMilliseconds } from './qemu-process.ts';

/**
 * Multiples of 2^64 / φ: far apart for any two seeds (Knuth, TAOCP 6.4), and so are their slides.
 */
function kaslrSeed(seed: number): bigint {
  return BigInt.asUintN(64, 0x9e3779b97f4a7c15n * BigInt(seed));
}

/**
 * Whether QEMU's own device tree is not sufficient: for ranges without a mapping, for memory in
 * several nodes, for a KASLR seed that does not change, and for the realm monitor, which gets none
 * from QEMU.
 */
export function needsDeviceTree({ machine, commandLine }: QemuMachine): boolean {
  const own =
    machine.firmware !== undefined || machine.holes.length > 0 || machine.nodes !== undefined;
  return own || !/(^|\s)nokaslr(\s|$)/.test(commandLine);
}

/**
 * QEMU's device tree for a machine with ptdiff's additions, as a blob.
 * @param initramfs address of the initial RAM disk
 */
export async function makeDeviceTree(
  setup: QemuMachine,
  { initramfs }: Pick<LoadPlaces, 'initramfs'>,
  directory: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const tree = parseFdt(await dumpDeviceTree(setup, directory, signal));
  if (setup.machine.nodes) replaceMemory(tree, setup.machine.nodes);
  addHoles(tree, setup.machine.holes);
  if (hasDmaAlias(setup.machine)) {
    removePowerButton(tree);
  }
  const { size } = statSync(setup.initramfs);
  const chosen = childNode(tree.root, 'chosen');
  setProperty(chosen, 'linux,initrd-start', fdtCells(BigInt(initramfs)));
  setProperty(chosen, 'linux,initrd-end', fdtCells(BigInt(initramfs + size)));
  setProperty(chosen, 'kaslr-seed', fdtCells(kaslrSeed(setup.seed ?? defaultSeed)));
  return serialiseFdt(tree);
}

/**
 * With ACPI, a machine that starts from flash has another power button than the one that it would
 * describe without flash.
 */
function removePowerButton({ root }: DeviceTree): void {
  root.children = root.children.filter(({ name }) => !/^(gpio-keys|pl061@.*)$/.test(name));
}

/** Replaces QEMU's memory node with others (Devicetree Specification 0.4, 3.4). */
export function replaceMemory({ root }: DeviceTree, nodes: readonly MemoryRange[][]): void {
  root.children = root.children.filter(({ name }) => !/^memory(@|$)/.test(name));
  for (const ranges of nodes) {
    const node = childNode(root, `memory@${first(ranges).start.toString(16)}`);
    setProperty(node, 'device_type', new TextEncoder().encode('memory\0'));
    setProperty(
      node,
      'reg',
      fdtCells(...ranges.flatMap(({ start, size }) => [BigInt(start), BigInt(size)])),
    );
  }
}

/** Reserves ranges of memory that the kernel must not map (Devicetree Specification 0.4, 3.5). */
function addHoles(tree: DeviceTree, holes: readonly MemoryRange[]): void {
  if (holes.length === 0) {
    return;
  }
  const reserved = childNode(tree.root, 'reserved-memory');
  setProperty(reserved, '#address-cells', words(2));
  setProperty(reserved, '#size-cells', words(2));
  setProperty(reserved, 'ranges', new Uint8Array());
  for (const { start, size } of holes) {
    const hole = childNode(reserved, `hole@${start.toString(16)}`);
    setProperty(hole, 'reg', fdtCells(BigInt(start), BigInt(size)));
    setProperty(hole, 'no-map', new Uint8Array());
  }
}

async function dumpDeviceTree(
  setup: QemuMachine,
  directory: string,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const path = join(directory, `ptdiff-${randomUUID()}.dtb`);
  const process = await QemuProcess.prepare(deviceTreeCommand(setup, path), path);
  const onAbort = () => void process.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    process.begin();
    const exit = await within(
      startMilliseconds,
      'QEMU did not write its device tree',
      process.exited,
    );
    signal.throwIfAborted();
    if (exit.how !== 'with status 0') {
      throw deathOfQemu(exit);
    }
    return readFileSync(path);
  } catch (error) {
    await process.stop();
    signal.throwIfAborted();
    throw error instanceof PtdiffError
      ? error
      : new PtdiffError(
          'emulator',
          `QEMU did not write a device tree to ${path}: ${messageOf(error)}.`,
        );
  } finally {
    signal.removeEventListener('abort', onAbort);
    rmSync(path, { force: true });
  }
}
