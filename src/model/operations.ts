// SPDX-License-Identifier: GPL-2.0-only
import { __set_fixmap } from './arch/arm64/mm/fixmap.ts';
import {
  __create_pgd_mapping,
  __kpti_install_ng_mappings,
  create_mapping_noalloc,
  linear_map_split_to_ptes,
  split_kernel_leaf_mapping,
  split_kernel_leaf_mapping_locked,
  update_mapping_prot,
} from './arch/arm64/mm/mmu-operations.ts';
import {
  __kernel_map_pages,
  __set_memory_enc_dec,
  realm_set_memory_decrypted,
  realm_set_memory_encrypted,
  set_direct_map_default_noflush,
  set_direct_map_invalid_noflush,
  set_direct_map_valid_noflush,
  set_memory_nx,
  set_memory_ro,
  set_memory_rw,
  set_memory_valid,
  set_memory_x,
} from './arch/arm64/mm/set-memory.ts';
import { __vunmap_range_noflush } from './mm/vmalloc.ts';
import type { Operation } from './operation.ts';

/** The functions of the kernel that the model can answer for one call of, by their names. */
export const operations: Readonly<Record<string, Operation>> = {
  __create_pgd_mapping,
  __create_pgd_mapping_locked: __create_pgd_mapping,
  __kernel_map_pages,
  __kpti_install_ng_mappings,
  __set_fixmap,
  __set_memory_enc_dec,
  __vunmap_range_noflush,
  create_mapping_noalloc,
  linear_map_split_to_ptes,
  realm_set_memory_decrypted,
  realm_set_memory_encrypted,
  set_direct_map_default_noflush,
  set_direct_map_invalid_noflush,
  set_direct_map_valid_noflush,
  set_memory_nx,
  set_memory_ro,
  set_memory_rw,
  set_memory_valid,
  set_memory_x,
  split_kernel_leaf_mapping,
  split_kernel_leaf_mapping_locked,
  update_mapping_prot,
};
