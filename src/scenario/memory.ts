// SPDX-License-Identifier: GPL-2.0-only
import type { Machine, MemoryRange } from './types.ts';

/** Physical address of the first byte of RAM of QEMU's `virt` machine (hw/arm/virt.c). */
export const RAM_BASE = 0x4000_0000;

/**
 * Ranges in order of address; those that touch are one, as memblock makes them
 * (memblock_merge_regions(), mm/memblock.c).
 */
function merged(ranges: readonly MemoryRange[]): MemoryRange[] {
  const result: MemoryRange[] = [];
  for (const { start, size } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && last.start + last.size === start) last.size += size;
    else result.push({ start, size });
  }
  return result;
}

/**
 * The RAM that the device tree names, as memblock has it.
 * @param granule page size in bytes: early_init_dt_add_memory_arch() (drivers/of/fdt.c) rounds
 * every range inward to it
 */
export function ramRanges(
  { memory, nodes }: Pick<Machine, 'memory' | 'nodes'>,
  granule = 1,
): MemoryRange[] {
  const named = nodes?.flat() ?? [{ start: RAM_BASE, size: memory * 2 ** 20 }];
  const whole = named.map(({ start, size }) => {
    const from = Math.ceil(start / granule) * granule;
    return { start: from, size: Math.floor((start + size) / granule) * granule - from };
  });
  return merged(whole.filter(({ size }) => size > 0));
}
