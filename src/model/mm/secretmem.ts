// SPDX-License-Identifier: GPL-2.0-only
import { parameq, parse_args } from '../../linux/cmdline.ts';
import { kstrtobool } from '../../linux/kstrtox.ts';
import type { Release } from '../../linux/release.ts';
import { can_set_direct_map } from '../arch/arm64/mm/pageattr.ts';
import type { BootState } from '../boot-state.ts';
import { refusesPages } from '../refuses-pages.ts';
import type { ProbePrediction } from '../types.ts';

const ENOSYS = 38;
const EFAULT = 14;

/**
 * secretmem_enable of mm/secretmem.c, a module_param: param_set_bool() (kernel/params.c) treats a
 * word without a value as true.
 */
export function secretmem_enable(parameters: readonly string[], release: Release): boolean {
  const given = parse_args(parameters.join(' '))
    .filter(({ param }) => parameq(param, 'secretmem.enable'))
    .map(({ val }) => (val === undefined ? true : kstrtobool(val, release)));
  return given.filter((value) => value !== undefined).at(-1) ?? true;
}

/**
 * memfd_secret(), and the first touch of each of its pages.
 * @param pages pages that the probe reported; none if it failed
 */
export function memfd_secret(
  state: BootState,
  enabled: boolean,
  pages: readonly number[],
): Omit<ProbePrediction, 'probe'> {
  const { traits } = state;
  const canSetDirectMap = can_set_direct_map(state);
  if (!traits.config.secretmem) return { errno: ENOSYS, why: 'CONFIG_SECRETMEM is off' };
  if (!enabled)
    return {
      errno: ENOSYS,
      why: 'secretmem.enable= turns it off (memfd_secret(), mm/secretmem.c)',
    };
  if (canSetDirectMap && refusesPages(state, pages)) {
    return {
      errno: EFAULT,
      why: 'a page of a block cannot leave it: secretmem_fault() ends in SIGBUS',
    };
  }
  return canSetDirectMap
    ? { errno: 0, why: 'can_set_direct_map() is true (memfd_secret(), mm/secretmem.c)' }
    : { errno: ENOSYS, why: 'can_set_direct_map() is false (memfd_secret(), mm/secretmem.c)' };
}
