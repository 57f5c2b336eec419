// SPDX-License-Identifier: GPL-2.0-only
import { int } from '../../../../linux/arguments.ts';
import { EINVAL, type Operation, type OperationState } from '../../../operation.ts';
import { __create_pgd_mapping as createPgdMapping, NO_CONT_MAPPINGS } from './mmu-create.ts';
import {
  split_kernel_leaf_mapping as splitKernelLeafMapping,
  linear_map_split_to_ptes as splitLinearMap,
  split_kernel_leaf_mapping_locked as splitLocked,
} from './mmu-split.ts';
import { kpti_mk_tbl_ng } from './proc.ts';

/* arch/arm64/mm/mmu.c as it is called: what one call does to the tables, and what it returns. */

/** __create_pgd_mapping_locked(), with its own virtual address for the physical range. */
function create(
  { map, traits }: OperationState,
  [phys, virt, size, prot]: readonly [bigint, bigint, bigint, bigint, ...bigint[]],
  flags: number,
  alloc: boolean,
): number | undefined {
  // It returns nothing up to 6.17.
  const answer = (value: number) => (traits.bbml === 'none' ? undefined : value);
  if (((phys ^ virt) & BigInt(map.geometry.granule - 1)) !== 0n) return answer(-EINVAL);
  const start = Number(phys);
  map.physBase = start - map.offsetOfVa(virt);
  createPgdMapping(map, traits, start, start + Number(size), prot, flags, alloc);
  return answer(0);
}

/** __create_pgd_mapping(pgdir, phys, virt, size, prot, pgtable_alloc, flags). */
export const __create_pgd_mapping: Operation = {
  maps: true,
  parts: ['__create_pgd_mapping_locked'],
  root: ([pgdir]) => pgdir,
  run: (state, [, phys, virt, size, prot, alloc, flags]) =>
    create(state, [phys, virt, size, prot], int(flags), alloc !== 0n),
};

const creates = ['__create_pgd_mapping', '__create_pgd_mapping_locked'];

/** create_mapping_noalloc(phys, virt, size, prot): for what has tables already. */
export const create_mapping_noalloc: Operation = {
  maps: true,
  parts: creates,
  run(state, args) {
    create(state, args, state.traits.protectsContiguously ? 0 : NO_CONT_MAPPINGS, false);
    return undefined;
  },
};

/** update_mapping_prot(phys, virt, size, prot): the same, and the TLBs are invalidated. */
export const update_mapping_prot: Operation = {
  ...create_mapping_noalloc,
  run(state, args) {
    create_mapping_noalloc.run(state, args);
    const [, virt, size] = args;
    const start = state.map.offsetOfVa(virt);
    state.map.flush(start, start + Number(size));
    return undefined;
  },
};

export const split_kernel_leaf_mapping: Operation = {
  parts: ['split_kernel_leaf_mapping_locked'],
  run: (state, [start, end]) => splitKernelLeafMapping(state, start, end, state.time),
};

export const split_kernel_leaf_mapping_locked: Operation = {
  run({ map, traits }, [addr]) {
    splitLocked(map, traits, map.offsetOfVa(addr));
    return 0;
  },
};

/** linear_map_split_to_ptes(unused): the boot CPU works, the others wait. */
export const linear_map_split_to_ptes: Operation = {
  run(state) {
    if (state.cpu === 0) splitLinearMap(state);
    return undefined;
  },
};

/**
 * __kpti_install_ng_mappings(unused): the boot CPU rewrites all of swapper_pg_dir, through tables of
 * its own (proc.S).
 */
export const __kpti_install_ng_mappings: Operation = {
  hasOwnTables: true,
  run({ map, cpu }) {
    if (cpu === 0) kpti_mk_tbl_ng(map, map.root);
    return undefined;
  },
};
