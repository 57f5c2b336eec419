// SPDX-License-Identifier: GPL-2.0-only
import { isWriteBack } from '../access.ts';
import type { Invariant } from '../context.ts';
import { runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/**
 * The linear map is Normal write-back memory, tagged or not: pgprot_tagged(PAGE_KERNEL) in
 * map_mem() (arch/arm64/mm/mmu.c); the kernel changes permissions and validity there, never the
 * memory type (pgattr_change_is_safe(), set_memory_*()).
 */
export const linearMapMemoryType: Invariant = (context) =>
  leavesViolation(
    context,
    {
      name: 'linear-map-memory-type',
      nature: 'not-write-back',
      title: 'the linear map is not Normal write-back memory',
      because: 'RAM in the linear region must be MT_NORMAL or MT_NORMAL_TAGGED by MAIR_EL1.',
    },
    runsIn(context.capture.ttbr1.leaves, context.linear.start, context.linear.end).filter(
      (run) => !isWriteBack(context.regime, run),
    ),
  );
