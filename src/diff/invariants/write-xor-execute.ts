// SPDX-License-Identifier: GPL-2.0-only
import { accessOf } from '../access.ts';
import { type Invariant, imageRange, inVirtual, rodataEnabled } from '../context.ts';
import { partsOutside } from '../physical.ts';
import { leavesViolation } from './violation.ts';

/**
 * No leaf under TTBR1 is writable and executable, for EL1 or EL0, in effective permissions (DDI
 * 0487 D8.4). The kernel's own check is ptdump_check_wx() (arch/arm64/mm/ptdump.c), which ignores
 * permission indirection. With rodata=off the kernel intentionally maps its text PAGE_KERNEL_EXEC
 * (map_kernel() in arch/arm64/kernel/pi/map_kernel.c; kernel_exec_prot() in arch/arm64/mm/mmu.c for
 * the trampoline), so in that case the text, and nothing else, is left out.
 */
export const writeXorExecute: Invariant = (context) => {
  const text = () => imageRange(context.image, '_text', '__init_end');
  const broken = context.capture.ttbr1.leaves
    .filter((run) => {
      const { el1, el0 } = accessOf(context.regime, run);
      return (el1.write || el0.write) && (el1.execute || el0.execute);
    })
    .flatMap((run) =>
      rodataEnabled(context) || inVirtual(run, context.linear) ? run : partsOutside(run, [text()]),
    );
  return leavesViolation(
    context,
    {
      name: 'write-xor-execute',
      nature: 'writable-executable',
      title: 'kernel memory is writable and executable',
      because: 'A leaf under TTBR1 must not be both writable and executable (STRICT_KERNEL_RWX).',
    },
    broken,
  );
};
