// SPDX-License-Identifier: GPL-2.0-only

import { gunzipSync, gzipSync } from 'node:zlib';
import type { Monitor } from '../guest/monitor-firmware.ts';
import type { KernelImage } from '../images/kernel-image.ts';
import type { Scenario, scenarioVersion } from '../src/scenario/types.ts';
import { loadRange, type StoredRange, storeRange } from './stored-range.ts';

/** Files that are made for one machine. */
export interface MachineBlobs {
  /** Replaces the device tree that QEMU would make. */
  deviceTree?: Uint8Array;
  /** Starts the kernel instead of QEMU. */
  monitor?: Monitor;
  /** What the machine's devices deliver. */
  deviceData?: Uint8Array;
}

/** Files that were made for one machine, as stored in JSON: gzip in base64. */
interface StoredBlobs {
  deviceTree?: string;
  monitor?: Omit<Monitor, 'flash' | 'memory'> & {
    flash: string;
    memory: StoredRange;
  };
  deviceData?: string;
}

/**
 * inputs.json of a case: everything its boot was made from. The paths are those of the host that
 * ran it.
 */
export interface CaseInputs {
  schema: 1;
  kernel: Omit<KernelImage, 'notes'>;
  scenarioVersion: typeof scenarioVersion;
  scenario: Scenario;
  /** QEMU's -cpu argument. */
  cpu: string;
  /** The kernel parameters verbatim, including those of the guest's init. */
  commandLine: string;
  initramfs: { path: string; sha256: string };
  emulator: { version: string; sha256: string; origin: string };
  blobs: StoredBlobs;
}

export function storeBlobs({ deviceTree, monitor, deviceData }: MachineBlobs): StoredBlobs {
  return {
    ...(deviceTree && { deviceTree: packed(deviceTree) }),
    ...(monitor && {
      monitor: { ...monitor, flash: packed(monitor.flash), memory: storeRange(monitor.memory) },
    }),
    ...(deviceData && { deviceData: packed(deviceData) }),
  };
}

export function loadBlobs({ deviceTree, monitor, deviceData }: StoredBlobs): MachineBlobs {
  return {
    ...(deviceTree !== undefined && { deviceTree: unpacked(deviceTree) }),
    ...(monitor && {
      monitor: {
        ...monitor,
        flash: unpacked(monitor.flash),
        memory: loadRange(monitor.memory),
      },
    }),
    ...(deviceData !== undefined && { deviceData: unpacked(deviceData) }),
  };
}

function packed(bytes: Uint8Array): string {
  return gzipSync(bytes).toString('base64');
}

/** No flash image or device tree comes near; what another machine sent must not fill the memory. */
const mostBytes = 2 ** 28;

function unpacked(text: string): Uint8Array {
  return gunzipSync(Buffer.from(text, 'base64'), { maxOutputLength: mostBytes });
}
