// SPDX-License-Identifier: GPL-2.0-only
import { memoryType } from '../../vmsa/memory-type.ts';
import type { Invariant } from '../context.ts';
import { leavesViolation } from './violation.ts';

const innerShareable = 3n;

/**
 * Normal memory under TTBR1 is inner shareable: PTE_SHARED is in every kernel protection, and with
 * LPA2 the field moves from the descriptor to TCR_EL1.SH1 (DDI 0487 D8.3.1; PTE_MAYBE_SHARED in
 * arch/arm64/include/asm/pgtable-prot.h). Any other value breaks coherency between the CPUs; under
 * TCG it has no visible effect.
 */
export const innerShareableMemory: Invariant = (context) => {
  if (context.regime.lpa2) return [];
  return leavesViolation(
    context,
    {
      name: 'inner-shareable',
      nature: 'not-inner',
      title: 'normal kernel memory is not inner shareable',
      because: 'Descriptor bits 9:8 must be 0b11 for Normal memory of an SMP kernel.',
    },
    context.capture.ttbr1.leaves.filter(
      (run) =>
        run.valid &&
        memoryType(context.regime, run.attributes).kind === 'normal' &&
        ((run.attributes >> 8n) & 3n) !== innerShareable,
    ),
  );
};
