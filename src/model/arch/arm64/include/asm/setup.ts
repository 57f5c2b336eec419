// SPDX-License-Identifier: GPL-2.0-only
import { valuesOf } from '../../../../../linux/cmdline.ts';
import type { Kernel } from '../../../../boot-state.ts';

/**
 * arch_parse_debug_rodata() of arch/arm64/include/asm/setup.h: rodata_enabled and rodata_full, set
 * by the rodata= parameters; the last one wins.
 */
export function arch_parse_debug_rodata({ traits, parameters, decisions, why }: Kernel): void {
  const source = 'arch/arm64/include/asm/setup.h (6.18 renamed full to on, and on to noalias)';
  let enabled = true;
  let full = traits.config.rodataFull;
  why('rodata_full', 'arch/arm64/mm/pageattr.c', `default is ${full}`);
  const partial = traits.rodataFullSpelling === 'full' ? 'on' : 'noalias';
  for (const value of valuesOf(parameters, 'rodata')) {
    if (value === traits.rodataFullSpelling) [enabled, full] = [true, true];
    else if (value === partial) [enabled, full] = [true, false];
    else if (value === 'off') [enabled, full] = [false, false];
    else
      why(
        'arch_parse_debug_rodata()',
        source,
        `refuses rodata=${value}; init/main.c knows it no better`,
      );
    why(
      'arch_parse_debug_rodata()',
      source,
      `rodata=${value}: rodata_enabled ${enabled}, rodata_full ${full}`,
    );
  }
  decisions.rodataEnabled = enabled;
  decisions.rodataFull = full;
}
