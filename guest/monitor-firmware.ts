// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange } from '../src/linux/physical-range.ts';
import { first } from '../src/present.ts';
import { realmIpaBits } from '../src/scenario/address-space.ts';
import { identitiesOf } from '../src/scenario/cpus.ts';
import { type IdOverride, idOverrides } from '../src/scenario/id-overrides.ts';
import type { LoadPlaces } from '../src/scenario/load-places.ts';
import { RAM_BASE, ramRanges } from '../src/scenario/memory.ts';
import type { Machine } from '../src/scenario/types.ts';
import { type MonitorParameters, monitorFlash, monitorMemorySize } from './monitor-parameters.ts';

/** PL011 of the `virt` machine (hw/arm/virt.c). */
const uart = 0x0900_0000;

/** The monitor maps the guest's memory in blocks. */
const block = 2 ** 21;

/**
 * Where QEMU's loader puts what the realm monitor starts, and the size of the monitor's RAM above
 * the guest's; bytes.
 */
export interface MonitorPlaces extends LoadPlaces {
  memory: number;
}

/** The realm monitor of one machine. */
export interface Monitor {
  /** Flash image. */
  flash: Uint8Array;
  places: MonitorPlaces;
  /** The monitor's own RAM. */
  memory: PhysicalRange;
  /** In a realm, the address bit of shared memory, as a number. */
  aliasBit?: number;
  /** ID registers that the monitor shows with other values than the emulator. */
  overrides: IdOverride[];
}

/**
 * Prepares the monitor for a machine; its own RAM is above the guest's.
 *
 * @param code the monitor's code, from buildMonitor()
 * @param loaded where kernel, RAM disk and device tree are
 */
export function planMonitor(machine: Machine, code: Uint8Array, loaded: LoadPlaces): Monitor {
  const guestEnd = RAM_BASE + machine.memory * 2 ** 20;
  const base = roundUp(guestEnd);
  const named = ramRanges(machine);
  const regions = machine.nodes ? named : [{ start: RAM_BASE, end: base }];
  const memory = sizedRange(base, monitorMemorySize(regions));
  const places: MonitorPlaces = { ...loaded, memory: memory.end - guestEnd };
  const identities = identitiesOf(machine);
  const bootMidr = first(identities).midr;
  const overrides = idOverrides(machine);
  const ipaBits = machine.world === 'realm' ? realmIpaBits(machine) : undefined;
  const parameters: MonitorParameters = {
    world: machine.world,
    rme: machine.firmware === 'monitor-rme',
    ...(ipaBits !== undefined && { ipaBits }),
    memory,
    entry: places.image,
    deviceTree: places.deviceTree,
    cpus: machine.cpus,
    regions,
    described: named,
    uart,
    midrs: identities.map(({ midr }) => (midr === bootMidr ? undefined : midr)),
    overrides,
  };
  const alias = ipaBits !== undefined && { aliasBit: 2 ** (ipaBits - 1) };
  return { flash: monitorFlash(code, parameters), places, memory, ...alias, overrides };
}

function roundUp(address: number): number {
  return Math.ceil(address / block) * block;
}
