// SPDX-License-Identifier: GPL-2.0-only
/**
 * Kernel variables worth capturing and their size in bytes, from their C types; a bitmap has the
 * size of its symbol (0). Variables that a kernel does not have are skipped: most exist in some
 * releases only.
 */
export const capturedVariables: Readonly<Record<string, number>> = {
  // arch/arm64/mm/init.c: s64; arch/arm64/mm/mmu.c: u64.
  memstart_addr: 8,
  kimage_voffset: 8,
  // arch/arm64/mm/mmu.c until 52-bit VAs were decided at link time (6.9); u64.
  vabits_actual: 8,
  // init/main.c and arch/arm64/mm/pageattr.c: bool.
  rodata_enabled: 1,
  rodata_full: 1,
  // arch/arm64/mm/mmu.c: bool; mm/kfence/core.c: char *, unsigned long.
  kfence_early_init: 1,
  __kfence_pool: 8,
  kfence_sample_interval: 8,
  // arch/arm64/mm/mmu.c: bool; 6.18 to 7.2, and since 7.3.
  linear_map_requires_bbml2: 1,
  linear_map_requires_bbml3: 1,
  // arch/arm64/kernel/cpufeature.c: bool; DECLARE_BITMAP.
  arm64_use_ng_mappings: 1,
  system_cpucaps: 0,
  // kernel/cpu.c: struct cpumask, a bit for each CPU.
  __cpu_online_mask: 0,
  // mm/page_alloc.c or mm/debug_page_alloc.c: bool.
  _debug_pagealloc_enabled_early: 1,
  // kernel/crash_reserve.c: struct resource, of which these are start and end.
  crashk_res: 16,
  // mm/secretmem.c: bool; in .init.data or .data by release.
  secretmem_enable: 1,
  // arch/arm64/kernel/rsi.c: DEFINE_STATIC_KEY_FALSE_RO; the int at its start is 1 in a realm.
  rsi_present: 4,
  // The same file: unsigned long.
  prot_ns_shared: 8,
};

/** Longest bitmap that is read; ARM64_NCAPS is below 128. */
export const maximumBitmapBytes = 64;

/** A little-endian unsigned integer of any length. */
export function unsignedInteger(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
