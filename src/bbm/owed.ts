// SPDX-License-Identifier: GPL-2.0-only
import type { Broken } from './tables.ts';

/**
 * Functions after which no TLB holds what they, or what they call, made invalid: they end with
 * flush_tlb_kernel_range(), or flush_tlb_page(), in 6.12 to 7.3. set_direct_map_invalid_noflush()
 * leaves it to its caller to do so: secretmem_fault() does, before it hands out the page
 * (mm/secretmem.c). Not among them are vunmap_range_noflush(), as what it unmaps may stay until its
 * addresses are used again, and __set_fixmap(), whose slots are used again at once. Sources:
 * __change_memory_common() of arch/arm64/mm/pageattr.c, kfence_protect_page() of
 * arch/arm64/include/asm/kfence.h, unmap_hotplug_range() of arch/arm64/mm/mmu.c,
 * ptep_clear_flush() of mm/pgtable-generic.c.
 */
export const invalidating: ReadonlySet<string> = new Set([
  'secretmem_fault',
  'set_memory_valid',
  'set_direct_map_valid_noflush',
  '__kernel_map_pages',
  'kfence_protect',
  '__set_memory_enc_dec',
  'realm_set_memory_encrypted',
  'realm_set_memory_decrypted',
  'unmap_hotplug_range',
  'ptep_clear_flush',
]);

/**
 * vfree() owes this only where it resets permissions (vm_reset_perms() of mm/vmalloc.c): what it
 * unmapped, which may be executable, and the linear alias, which may be read-only, must have left
 * the TLB before the alias becomes valid again, and the memory free.
 */
export const resetting = { owes: 'vfree', before: 'set_direct_map_default_noflush' } as const;

/** What a call of one of these functions has made invalid so far. */
export interface Owed {
  /** Each entry as it was, with what was written to it. */
  entries: { broken: Broken; low: number; high: number }[];
}
