// SPDX-License-Identifier: GPL-2.0-only
/**
 * Titles of what the kernel says of CPUs that differ: the log's reader and the model use the same
 * words.
 */

/** What the title of every refusal begins with. */
export const refusalPrefix = 'CPU refused';

/**
 * verify_local_cpu_caps(): a CPU that comes late differs from the system in a capability that it
 * must share.
 */
export function refusalTitle(capability: string, cpuHasIt: boolean): string {
  return `${refusalPrefix} for ${cpuHasIt ? 'having' : 'lacking'} ${capability}`;
}

/**
 * check_update_ftr_reg(): a CPU's ID register differs from the boot CPU's in a field that should be
 * the same everywhere.
 */
export function variationTitle(register: string): string {
  return `unexpected variation in ${register}`;
}
