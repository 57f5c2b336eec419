// SPDX-License-Identifier: GPL-2.0-only
import { type CheckpointName, checkpointNames } from '../evidence/capture.ts';
import {
  kpti_install_ng_mappings,
  mark_linear_text_alias_ro,
  mark_rodata_ro,
} from './arch/arm64/mm/mmu.ts';
import { linear_map_maybe_split_to_ptes } from './arch/arm64/mm/mmu-split.ts';
import type { BootState } from './boot-state.ts';
import { kfence_init_pool } from './mm/kfence.ts';

/** Steps of the boot that change the linear map before each instant, in order. */
const stepsUpTo: Record<CheckpointName, ((state: BootState) => void)[]> = {
  paging_init: [],
  before_split: [kfence_init_pool],
  after_split: [linear_map_maybe_split_to_ptes],
  free_initmem: [kpti_install_ng_mappings, mark_linear_text_alias_ro],
  init: [mark_rodata_ro],
};

/** The steps between two checkpoints of a boot that need not be neighbours. */
export function stepsBetween(
  last: CheckpointName | undefined,
  next: CheckpointName,
): ((state: BootState) => void)[] {
  const from = last === undefined ? 0 : checkpointNames.indexOf(last) + 1;
  return checkpointNames
    .slice(from, checkpointNames.indexOf(next) + 1)
    .flatMap((name) => stepsUpTo[name]);
}
