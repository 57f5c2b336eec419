// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolTable } from './symbol-table.ts';

/** What the recorder does at the entry of a function. */
type Role = 'operation' | 'switch' | 'pgd_free';

/** A function of the kernel whose entries (and returns) are recorded. */
export interface RecordedFunction {
  name: string;
  role: Role;
  /** How many of its arguments are recorded: X0 to X7. */
  arguments: number;
  /** Whether what it returns (X0) is recorded. */
  returns: boolean;
}

const operation = (name: string, count: number, returns = false): RecordedFunction => ({
  name,
  role: 'operation',
  arguments: count,
  returns,
});

/**
 * The functions that change page tables, and those whose calls say why: a name that a kernel does
 * not have is left out. Sources: arch/arm64/mm/{mmu,pageattr,contpte,hugetlbpage,kasan_init}.c,
 * arch/arm64/kernel/{alternative,cpufeature,patching}.c, mm/{vmalloc,memory,pgtable-generic,mmap,
 * mprotect,mremap,migrate,huge_memory,khugepaged,kfence/core,secretmem,execmem}.c of 6.12 to 7.3.
 */
export const recordedFunctions: readonly RecordedFunction[] = [
  // arch/arm64/kernel/entry.S, mm/pgd.c
  { name: 'cpu_switch_to', role: 'switch', arguments: 0, returns: false },
  { name: 'pgd_free', role: 'pgd_free', arguments: 0, returns: false },
  // What decides how requests are answered: arch/arm64/kernel/{smp,cpufeature}.c, kernel/cpu.c,
  // arch/arm64/mm/init.c
  operation('smp_cpus_done', 0),
  operation('setup_system_features', 0),
  operation('set_cpu_online', 2),
  operation('mem_init', 0),
  // arch/arm64/mm/mmu.c
  operation('paging_init', 0),
  operation('map_mem', 1),
  operation('declare_kernel_vmas', 0),
  operation('create_idmap', 0),
  operation('map_entry_trampoline', 0),
  operation('mark_linear_text_alias_ro', 0),
  operation('mark_rodata_ro', 0),
  operation('__create_pgd_mapping', 7, true),
  operation('__create_pgd_mapping_locked', 7, true),
  operation('create_pgd_mapping', 5),
  operation('create_mapping_noalloc', 4),
  operation('update_mapping_prot', 4),
  operation('split_kernel_leaf_mapping', 2, true),
  operation('split_kernel_leaf_mapping_locked', 1, true),
  operation('linear_map_maybe_split_to_ptes', 1),
  operation('linear_map_split_to_ptes', 1),
  operation('kpti_install_ng_mappings', 0),
  operation('__kpti_install_ng_mappings', 1),
  operation('__set_fixmap', 3),
  operation('arch_add_memory', 3, true),
  operation('arch_remove_memory', 3),
  operation('unmap_hotplug_range', 4),
  operation('free_empty_tables', 4),
  operation('vmemmap_populate', 4, true),
  operation('vmemmap_free', 3),
  // arch/arm64/mm/pageattr.c
  operation('set_memory_ro', 2, true),
  operation('set_memory_rw', 2, true),
  operation('set_memory_x', 2, true),
  operation('set_memory_nx', 2, true),
  operation('set_memory_rox', 2, true),
  operation('set_memory_valid', 3, true),
  operation('set_direct_map_invalid_noflush', 1, true),
  operation('set_direct_map_default_noflush', 1, true),
  operation('set_direct_map_valid_noflush', 3, true),
  operation('__kernel_map_pages', 3),
  operation('__set_memory_enc_dec', 3, true),
  operation('set_memory_encrypted', 2, true),
  operation('set_memory_decrypted', 2, true),
  operation('realm_set_memory_encrypted', 2, true),
  operation('realm_set_memory_decrypted', 2, true),
  // arch/arm64/mm/contpte.c
  operation('__contpte_try_fold', 5),
  operation('__contpte_try_unfold', 4),
  operation('contpte_set_ptes', 5),
  operation('contpte_clear_full_ptes', 5),
  operation('contpte_get_and_clear_full_ptes', 5),
  operation('contpte_wrprotect_ptes', 4),
  operation('contpte_ptep_set_access_flags', 5, true),
  // mm/vmalloc.c, mm/ioremap.c, mm/early_ioremap.c
  operation('__vmap_pages_range_noflush', 5, true),
  operation('vmap_pages_range_noflush', 5, true),
  operation('vmap_page_range', 4, true),
  operation('ioremap_page_range', 4, true),
  operation('__vunmap_range_noflush', 2),
  operation('__purge_vmap_area_lazy', 3),
  operation('free_vm_area', 1),
  operation('vfree', 1),
  // arch/arm64/kernel/{alternative,patching}.c
  operation('__apply_alternatives_multi_stop', 1),
  // mm/kfence/core.c, mm/secretmem.c
  operation('kfence_protect', 1, true),
  operation('kfence_unprotect', 1, true),
  operation('secretmem_fault', 1, true),
  operation('secretmem_free_folio', 1),
  // User tables: mm/{memory,pgtable-generic,mmap,mprotect,mremap,huge_memory,migrate}.c
  operation('handle_mm_fault', 3, true),
  operation('ptep_clear_flush', 0),
  operation('copy_page_range', 2, true),
  operation('unmap_vmas', 3),
  operation('free_pgtables', 2),
  operation('exit_mmap', 1),
  operation('change_protection', 4),
  operation('move_page_tables', 4),
  operation('__split_huge_pmd', 4),
  operation('try_to_migrate_one', 4),
];

const counts = new Map(recordedFunctions.map(({ name, arguments: count }) => [name, count]));

/**
 * How many arguments of a function are recorded: fewer are there of one that a compiler changed.
 * @returns 0 for a function that is not recorded
 */
export const argumentsOf = (name: string): number => counts.get(name) ?? 0;

/** Roots that the kernel never frees (arch/arm64/kernel/vmlinux.lds.S). */
const stayingRoots = ['swapper_pg_dir', 'tramp_pg_dir', 'reserved_pg_dir', 'idmap_pg_dir'];

/** What of it a kernel has, in the order in which events number them. */
export interface RecorderList {
  functions: RecordedFunction[];
  /** For the recorder: see operations.c. */
  text: string;
}

/** A function that a compiler changed as a whole has no arguments that could be trusted. */
export function recorderList(symbols: SymbolTable): RecorderList {
  const functions: RecordedFunction[] = [];
  const lines: string[] = [];
  for (const each of recordedFunctions) {
    const name = symbols.codeName(each.name);
    const address = name === undefined ? undefined : symbols.address(name);
    if (address === undefined) continue;
    const count = name === each.name ? each.arguments : 0;
    functions.push({ ...each, arguments: count });
    lines.push(`${address.toString(16)} ${count} ${Number(each.returns)} ${each.role}\n`);
  }
  for (const name of stayingRoots) {
    const address = symbols.address(name);
    if (address !== undefined) lines.push(`${address.toString(16)} 0 0 stays\n`);
  }
  return { functions, text: lines.join('') };
}
