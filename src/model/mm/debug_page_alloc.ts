// SPDX-License-Identifier: GPL-2.0-only
import { lastBoolean } from '../../linux/cmdline.ts';
import type { KernelTraits } from '../../linux/kernel-traits.ts';
import type { Kernel } from '../boot-state.ts';

/**
 * debug_pagealloc_enabled(): CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT, then what
 * early_debug_pagealloc() parses (mm/debug_page_alloc.c).
 */
export function debug_pagealloc_enabled(
  { config, release }: KernelTraits,
  parameters: readonly string[],
): boolean {
  if (!config.debugPagealloc) return false;
  return lastBoolean(parameters, 'debug_pagealloc', release) ?? config.debugPageallocDefault;
}

/** early_debug_pagealloc(): sets the answer of debug_pagealloc_enabled(). */
export function early_debug_pagealloc({ traits, parameters, decisions, why }: Kernel): void {
  decisions.debugPagealloc = debug_pagealloc_enabled(traits, parameters);
  if (traits.config.debugPagealloc)
    why('debug_pagealloc_enabled()', 'mm/debug_page_alloc.c', `${decisions.debugPagealloc}`);
}
