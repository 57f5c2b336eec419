// SPDX-License-Identifier: GPL-2.0-only
import {
  join,
  type PhysicalRange,
  roundInward,
  sizedRange,
  subtract,
} from '../linux/physical-range.ts';
import type { Machine } from './types.ts';

/** Physical address of the first byte of RAM of QEMU's `virt` machine (hw/arm/virt.c). */
export const RAM_BASE = 0x4000_0000;

/**
 * MiB of memory without holes. A kernel of a distribution takes up to 59 MiB when it starts; in a
 * realm those up to 7.2 share 64 MiB with devices, and with 128 MiB their drivers fail.
 */
export const leastMemory = { normal: 128, realm: 256 };

/**
 * The RAM that the device tree describes, as memblock has it: ranges that touch become one
 * (memblock_merge_regions(), mm/memblock.c).
 * @param granule page size in bytes: early_init_dt_add_memory_arch() (drivers/of/fdt.c) rounds
 * every range inward to it
 */
export function ramRanges(
  { memory, nodes }: Pick<Machine, 'memory' | 'nodes'>,
  granule = 1,
): PhysicalRange[] {
  const named = nodes?.flat() ?? [{ start: RAM_BASE, size: memory * 2 ** 20 }];
  const whole = named.map(({ start, size }) => roundInward(sizedRange(start, size), granule));
  return join(whole.filter(({ start, end }) => start < end));
}

/**
 * memblock.memory without NOMAP: the machine's RAM without the holes that its device tree reserves
 * with no-map.
 * @param granule as for ramRanges()
 */
export function memoryRanges(
  { holes, ...machine }: Pick<Machine, 'memory' | 'holes' | 'nodes'>,
  granule = 1,
): PhysicalRange[] {
  const hidden = join(holes.map(({ start, size }) => sizedRange(start, size)));
  return ramRanges(machine, granule).flatMap((ram) => subtract(ram, hidden));
}
