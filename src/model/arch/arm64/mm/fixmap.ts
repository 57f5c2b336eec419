// SPDX-License-Identifier: GPL-2.0-only

import { int } from '../../../../linux/arguments.ts';
import { NONE } from '../../../linear-map.ts';
import type { Operation } from '../../../operation.ts';

/** FIXADDR_TOP, arch/arm64/include/asm/memory.h, before the end of the address space. */
const belowEnd = 2 ** 23;

/**
 * __set_fixmap(idx, phys, flags) of arch/arm64/mm/fixmap.c: one page at the address that belongs to
 * a slot, or none, with a TLB invalidation.
 */
export const __set_fixmap: Operation = {
  maps: true,
  run({ map }, [idx, phys, flags]) {
    const { geometry, root } = map;
    const { granule } = geometry;
    const end = root.length * root.entrySize;
    const offset = end - belowEnd - int(idx) * granule;
    const pa = Number(phys);
    map.physBase = pa - (pa % granule) - offset;
    const table = map.pageTable(offset);
    table?.set(map.index(table, offset), flags === 0n ? NONE : map.leaf(flags));
    if (flags === 0n) map.flush(offset, offset + granule);
    return undefined;
  },
};
