// SPDX-License-Identifier: GPL-2.0-only
import type { Machine } from './types.ts';

/**
 * Width of the address space of a realm with devices; its top bit is the alias bit. Devices reach
 * shared memory by its alias, so QEMU must have memory there too, and QEMU's memory use grows with
 * that address.
 */
export const aliasedIpaBits = 38;

/**
 * Width of the address space of any other realm: one that every CPU model has, so that machines
 * differ in their CPU only.
 */
const plainIpaBits = 40;

/** Width of a realm's address space: all RAM and devices of the machine are in its lower half. */
export function realmIpaBits(machine: Machine): number {
  return hasDmaAlias(machine) ? aliasedIpaBits : plainIpaBits;
}

/** Whether the machine's RAM exists a second time, at its alias, for devices. */
export function hasDmaAlias({ world, devices }: Machine): boolean {
  return world === 'realm' && devices !== undefined;
}
