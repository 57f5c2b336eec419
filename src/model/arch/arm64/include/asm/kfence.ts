// SPDX-License-Identifier: GPL-2.0-only
import type { Kernel } from '../../../../boot-state.ts';

/**
 * arm64_kfence_can_set_direct_map() of arch/arm64/include/asm/kfence.h: !kfence_early_init, and
 * false without CONFIG_KFENCE.
 */
export function arm64_kfence_can_set_direct_map({ traits, decisions }: Kernel): boolean {
  return traits.config.kfence && !decisions.kfenceEarlyInit;
}
