// SPDX-License-Identifier: GPL-2.0-only
import type { Invariant } from '../context.ts';
import { leavesViolation } from './violation.ts';

/**
 * Every valid leaf under TTBR1 has the access flag: all kernel protections derive from
 * _PROT_DEFAULT, which has PTE_AF (arch/arm64/include/asm/pgtable-prot.h), and the kernel never
 * ages its own mappings. Without hardware management of the flag an access through such a leaf
 * faults (DDI 0487 D8.5.2).
 */
export const accessFlagSet: Invariant = (context) =>
  leavesViolation(
    context,
    {
      name: 'access-flag',
      nature: 'clear',
      title: 'kernel leaves lack the access flag',
      because:
        'A valid kernel leaf without AF faults at first use where hardware does not manage the flag.',
    },
    context.capture.ttbr1.leaves.filter(
      (run) => run.valid && (run.attributes & (1n << 10n)) === 0n,
    ),
  );
