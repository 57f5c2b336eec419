// SPDX-License-Identifier: GPL-2.0-only
import { valuesOf } from '../../linux/cmdline.ts';
import type { KernelTraits } from '../../linux/kernel-traits.ts';
import { kstrtoull } from '../../linux/kstrtox.ts';
import { arch_kfence_init_pool } from '../arch/arm64/mm/mmu.ts';
import { changeAttributes, makeInvalid } from '../arch/arm64/mm/pageattr.ts';
import type { BootState } from '../boot-state.ts';
import { kfencePoolOf } from '../kfence-pool.ts';

/**
 * Whether kfence_sample_interval is nonzero in kfence_init() (mm/kfence/core.c):
 * param_set_sample_interval() accepts whole numbers only, and not the same ones as
 * parse_kfence_early_init(). So a pool that was allocated early may stay unused, and one that was
 * not may be allocated later.
 */
export function kfenceEnabled(
  { config, release }: KernelTraits,
  parameters: readonly string[],
): boolean {
  if (!config.kfence) return false;
  const given = valuesOf(parameters, 'kfence.sample_interval')
    .map((value) => kstrtoull(value, release))
    .filter((value) => value !== undefined);
  // Both defaults are CONFIG_KFENCE_SAMPLE_INTERVAL.
  return given.length > 0 ? given.at(-1) !== 0n : config.kfenceEarlyInit;
}

/**
 * kfence_init_pool() of mm/kfence/core.c: the first two pages and the page after each object page
 * become invalid.
 */
export function kfence_init_pool(state: BootState): void {
  const { map, traits, prot, why } = state;
  const pool = kfencePoolOf(state.question);
  if (!pool || !kfenceEnabled(traits, state.parameters)) return;
  arch_kfence_init_pool(state, pool);
  state.kfencePool = pool;
  const { granule } = map.geometry;
  const invalid = makeInvalid(traits, prot);
  const first = map.offsetOfPa(pool.start);
  const guards = [
    0,
    1,
    ...Array.from({ length: traits.config.kfenceNumObjects }, (_, i) => 2 * i + 3),
  ];
  for (const page of guards)
    changeAttributes(map, traits, first + page * granule, first + (page + 1) * granule, invalid);
  why(
    'kfence_init_pool()',
    'mm/kfence/core.c',
    `${guards.length} guard pages of the KFENCE pool become invalid`,
  );
}
