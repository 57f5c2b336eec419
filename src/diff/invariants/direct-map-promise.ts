import { geometryOf, levelShift } from '../../linux/geometry.ts';
import { type CheckpointContext, type Invariant, imageVa } from '../context.ts';
import { endOf, runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/**
 * can_set_direct_map() of arch/arm64/mm/pageattr.c, from the captured variables it reads; the rest from the decisions.
 */
function canSetDirectMap({ capture, decisions }: CheckpointContext): boolean {
  const { rodata_full: rodataFull, kfence_early_init: kfenceEarlyInit } = capture.variables;
  return decisions.canSetDirectMap || (rodataFull ?? 0n) !== 0n || kfenceEarlyInit === 0n;
}

/**
 * True when the kernel can split what it has to change later: the whole system has the capability, the kernel has the code for it (6.18+),
 * and where split_kernel_leaf_mapping() of arch/arm64/mm/mmu.c asks whether the boot found that splitting may be needed (f12b435de2f2), it did.
 */
function canSplit({ capture, decisions, splitAsksRequires }: CheckpointContext): boolean {
  if (!decisions.systemBbml || decisions.linearMapRequiresBbml === undefined) return false;
  const { linear_map_requires_bbml2: bbml2, linear_map_requires_bbml3: bbml3 } = capture.variables;
  return !splitAsksRequires || (bbml2 ?? bbml3 ?? 1n) !== 0n;
}

/**
 * What can_set_direct_map() promises can be kept: if it is true, callers change single pages of the linear map, which
 * works only if the leaves are page-sized or can be split (apply_to_page_range() in arch/arm64/mm/pageattr.c warns and
 * fails at a block). The alias of [_text, __init_begin) is never changed page by page and may keep its blocks.
 */
export const directMapPromise: Invariant = (context) => {
  const { capture, linear, image, granule } = context;
  if (capture.checkpoint !== 'init' || !canSetDirectMap(context) || canSplit(context)) return [];
  const aliasStart = BigInt(image.pa) + linear.vaMinusPa;
  const aliasEnd = aliasStart + imageVa(image, '__init_begin') - imageVa(image, '_text');
  const geometry = geometryOf(granule);
  const large = runsIn(capture.ttbr1.leaves, linear.start, linear.end).filter(
    (run) =>
      (2 ** levelShift(geometry, run.level) > granule || (run.contiguous && run.valid)) &&
      !(run.va >= aliasStart && endOf(run) <= aliasEnd),
  );
  return leavesViolation(
    context,
    {
      name: 'direct-map-promise',
      nature: 'cannot-split',
      title: 'can_set_direct_map() is true, but the linear map has leaves that can be neither changed nor split',
      because:
        'set_direct_map_*(), set_memory_*() and debug_pagealloc change single pages of the linear map; a larger leaf makes them fail or warn.',
    },
    large,
  );
};
