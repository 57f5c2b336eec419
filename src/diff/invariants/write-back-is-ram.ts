// SPDX-License-Identifier: GPL-2.0-only
import { roundOutward } from '../../linux/physical-range.ts';
import { isWriteBack } from '../access.ts';
import type { Invariant } from '../context.ts';
import { partsOutside } from '../physical.ts';
import { leavesViolation } from './violation.ts';

/**
 * Normal write-back leaves under TTBR1 point to memory: RAM, or NOMAP memory that a driver may
 * remap. Speculative reads of anything else may have side effects on devices (DDI 0487 B2.10;
 * arch_memremap_can_ram_remap() and ioremap_prot() in arch/arm64/mm/ioremap.c choose Device memory
 * for addresses that memblock does not list).
 */
export const writeBackIsRam: Invariant = (context) => {
  const memory = [...context.ram, ...context.noMap, ...(context.added ?? [])].sort(
    (a, b) => a.start - b.start,
  );
  const pages = memory.map((range) => roundOutward(range, context.granule));
  return leavesViolation(
    context,
    {
      name: 'write-back-is-ram',
      nature: 'not-memory',
      title: 'cacheable kernel leaves point to addresses without memory',
      because:
        'Normal write-back memory must be RAM: the CPU may read it speculatively and write back lines at any time.',
    },
    context.capture.ttbr1.leaves
      .filter((run) => run.valid && isWriteBack(context.regime, run))
      .flatMap((run) => partsOutside(run, pages)),
  );
};
