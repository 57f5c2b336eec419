// SPDX-License-Identifier: GPL-2.0-only
import { isInOperation } from '../../evidence/capture.ts';
import { geometryOf, levelShift } from '../../linux/geometry.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { type CheckpointContext, type Invariant, imageVa, isSet } from '../context.ts';
import { endOf, runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/**
 * can_set_direct_map() of arch/arm64/mm/pageattr.c, from the captured variables that it reads. A
 * kernel without CONFIG_KFENCE, CONFIG_DEBUG_PAGEALLOC or support for realms (6.12) has no such
 * variable and does not check it.
 */
export function canSetDirectMap(context: CheckpointContext): boolean {
  const asked = ['rodata_full', '_debug_pagealloc_enabled_early', 'rsi_present'];
  return (
    asked.some((name) => isSet(context, name)) || context.capture.variables.kfence_early_init === 0n
  );
}

/**
 * Whether all CPUs together can change the size of a live mapping, according to the kernel's own
 * bitmap; undefined where the bitmap was not readable.
 */
function systemCanSplit({ capture, splitting }: CheckpointContext): boolean | undefined {
  const { system_cpucaps: capabilities } = capture.variables;
  if (capabilities === undefined || splitting?.capability === undefined) return undefined;
  return ((capabilities >> BigInt(splitting.capability)) & 1n) === 1n;
}

/**
 * True when the kernel can split what it has to change later: it has the code for it (6.18+), the
 * whole system has the capability, and, where split_kernel_leaf_mapping() of arch/arm64/mm/mmu.c
 * checks whether the boot found that splitting may be needed (f12b435de2f2), it was. Undefined
 * where this is not known (see unchecked()).
 */
function canSplit(context: CheckpointContext): boolean | undefined {
  const { capture, splitting } = context;
  if (!splitting) return false;
  const { linear_map_requires_bbml2: bbml2, linear_map_requires_bbml3: bbml3 } = capture.variables;
  if (splitting.asksRequires && (bbml2 ?? bbml3) === 0n) return false;
  return systemCanSplit(context);
}

/**
 * Leaves of the linear map larger than a page, except those of the kernel's alias, which never
 * changes page by page.
 */
function largeLeaves({ capture, linear, image, granule }: CheckpointContext): LeafRun[] {
  if (linear.vaMinusPa === undefined) return [];
  const aliasStart = BigInt(image.pa) + linear.vaMinusPa;
  const aliasEnd = aliasStart + imageVa(image, '__init_begin') - imageVa(image, '_text');
  const geometry = geometryOf(granule);
  return runsIn(capture.ttbr1.leaves, linear.start, linear.end).filter(
    (run) =>
      (2 ** levelShift(geometry, run.level) > granule || (run.contiguous && run.valid)) &&
      !(run.va >= aliasStart && endOf(run) <= aliasEnd),
  );
}

/** Why this rule cannot be checked at a checkpoint, as a part of a sentence. */
export function promiseUnchecked(context: CheckpointContext): string | undefined {
  const asked = isInOperation(context.capture.checkpoint) && canSetDirectMap(context);
  if (!asked || canSplit(context) !== undefined || largeLeaves(context).length === 0)
    return undefined;
  return 'neither system_cpucaps nor arm64_features[] tells whether the system can split leaves of the linear map';
}

/**
 * can_set_direct_map() promises that single pages of the linear map can change. If it is true,
 * callers rely on that, and it works only if the leaves are pages or can be split
 * (apply_to_page_range() in arch/arm64/mm/pageattr.c warns and fails at a block). The alias of
 * [_text, __init_begin) never changes page by page and may keep its blocks.
 */
export const directMapPromise: Invariant = (context) => {
  if (
    !isInOperation(context.capture.checkpoint) ||
    !canSetDirectMap(context) ||
    canSplit(context) !== false
  )
    return [];
  return leavesViolation(
    context,
    {
      name: 'direct-map-promise',
      nature: 'cannot-split',
      title:
        'can_set_direct_map() is true, but the linear map has leaves that can be neither changed nor split',
      because:
        'set_direct_map_*(), set_memory_*() and debug_pagealloc change single pages of the linear map; a larger leaf makes them fail or warn.',
    },
    largeLeaves(context),
  );
};
