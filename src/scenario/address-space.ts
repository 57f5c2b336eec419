// SPDX-License-Identifier: GPL-2.0-only
import type { Machine } from './types.ts';

/**
 * Width of the address space of a realm with devices, whose top bit is the alias bit. They reach
 * shared memory by its alias, where QEMU must have memory, too; and its memory at an address grows
 * with that address.
 */
export const aliasedIpaBits = 38;

/**
 * Width of the address space of any other realm: what every CPU model has, so that machines differ
 * in their CPU only.
 */
const plainIpaBits = 40;

/** Width of a realm's address space: all RAM and devices of the machine lie below its half. */
export function realmIpaBits(machine: Machine): number {
  return hasDmaAlias(machine) ? aliasedIpaBits : plainIpaBits;
}

/** Whether the machine's RAM is there a second time, at its alias, for devices. */
export function hasDmaAlias({ world, devices }: Machine): boolean {
  return world === 'realm' && devices !== undefined;
}
