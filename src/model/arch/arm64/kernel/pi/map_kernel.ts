// SPDX-License-Identifier: GPL-2.0-only
import { first } from '../../../../../present.ts';
import type { Kernel } from '../../../../boot-state.ts';
import {
  cpuHasLargeVa,
  kaslr_enabled,
  kaslr_requires_kpti,
  ng_mappings_allowed,
} from '../cpufeature.ts';

/**
 * early_map_kernel(): the first mappings are non-global when KASLR needs KPTI and the CPU can have
 * them, which arm64_use_ng_mappings records, whether or not the kernel is built with KPTI. It also
 * decides whether LPA2 is used.
 */
export function early_map_kernel(kernel: Kernel): void {
  const { traits, idRegisters, decisions, why } = kernel;
  const { config } = traits;
  const required = kaslr_requires_kpti(kernel);
  const allowed = ng_mappings_allowed(first(idRegisters));
  decisions.useNgMappings = required && allowed;
  if (kaslr_enabled(kernel)) {
    why(
      'kaslr_requires_kpti()',
      'arch/arm64/include/asm/mmu.h, kernel/pi/map_kernel.c',
      `FEAT_E0PD ${!required}${allowed ? '' : ', Cavium erratum 27456'}: non-global mappings ${decisions.useNgMappings}`,
    );
  }
  // CONFIG_ARM64_LPA2 depends on !ARM64_64K_PAGES.
  decisions.lpa2 = config.lpa2 && cpuHasLargeVa(traits, first(idRegisters));
}
