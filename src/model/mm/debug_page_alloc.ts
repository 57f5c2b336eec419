// SPDX-License-Identifier: GPL-2.0-only
import { lastBoolean } from '../../linux/cmdline.ts';
import type { KernelTraits } from '../../linux/kernel-traits.ts';

/**
 * debug_pagealloc_enabled(): CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT, then what
 * early_debug_pagealloc() parses (mm/debug_page_alloc.c).
 */
export function debug_pagealloc_enabled(
  { config, release }: KernelTraits,
  parameters: string[],
): boolean {
  if (!config.debugPagealloc) return false;
  return lastBoolean(parameters, 'debug_pagealloc', release) ?? config.debugPageallocDefault;
}
