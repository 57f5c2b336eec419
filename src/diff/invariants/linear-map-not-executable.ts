// SPDX-License-Identifier: GPL-2.0-only
import { accessOf } from '../access.ts';
import type { Invariant } from '../context.ts';
import { runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/**
 * The linear map is executable neither at EL1 nor at EL0: map_mem() uses PAGE_KERNEL (PXN and UXN
 * set) and, in tables that only the linear map uses, NO_EXEC_MAPPINGS; nothing may remove that
 * later (arch/arm64/mm/mmu.c).
 */
export const linearMapNotExecutable: Invariant = (context) => {
  const linear = runsIn(context.capture.ttbr1.leaves, context.linear.start, context.linear.end);
  return leavesViolation(
    context,
    {
      name: 'linear-map-not-executable',
      nature: 'executable',
      title: 'the linear map is executable',
      because:
        'Every leaf of the linear map has PXN and UXN: data must not become code through its linear alias.',
    },
    linear.filter((run) => {
      const { el1, el0 } = accessOf(context.regime, run);
      return el1.execute || el0.execute;
    }),
  );
};
