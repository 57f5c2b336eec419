// SPDX-License-Identifier: GPL-2.0-only
import { NONE, visitLeaves } from '../linear-map.ts';
import type { Operation } from '../operation.ts';

/**
 * __vunmap_range_noflush(start, end) of mm/vmalloc.c: every leaf goes, and the tables stay. Who
 * calls it invalidates the TLBs, perhaps much later.
 */
export const __vunmap_range_noflush: Operation = {
  run({ map }, [start, end]) {
    visitLeaves(map.root, map.offsetOfVa(start), map.offsetOfVa(end), (table, index) =>
      table.set(index, NONE),
    );
    return undefined;
  },
};
