// SPDX-License-Identifier: GPL-2.0-only
import { accessOf } from '../access.ts';
import type { Invariant } from '../context.ts';
import { leavesViolation } from './violation.ts';

/**
 * EL0 can neither read, write nor execute anything under TTBR1 (DDI 0487 D8.4.1): no kernel
 * protection has PTE_USER, and all have PTE_UXN (arch/arm64/include/asm/pgtable-prot.h). This holds
 * for the entry trampoline too, and the vDSO lies under TTBR0.
 */
export const noUserAccess: Invariant = (context) =>
  leavesViolation(
    context,
    {
      name: 'kernel-half-closed-to-user',
      nature: 'user-access',
      title: 'user space can access kernel addresses',
      because:
        'No leaf under TTBR1 may give EL0 any right: every kernel mapping lacks PTE_USER and has PTE_UXN.',
    },
    context.capture.ttbr1.leaves.filter((run) => {
      const { el0 } = accessOf(context.regime, run);
      return el0.read || el0.write || el0.execute;
    }),
  );
