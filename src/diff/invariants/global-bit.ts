// SPDX-License-Identifier: GPL-2.0-only
import { type Invariant, isSet } from '../context.ts';
import { leavesViolation } from './violation.ts';

const nonGlobal = 1n << 11n;

/**
 * Kernel leaves are global unless arm64_use_ng_mappings (PTE_MAYBE_NG in
 * arch/arm64/include/asm/pgtable-prot.h), and with it every leaf of the linear map is non-global:
 * __kpti_install_ng_mappings() in arch/arm64/mm/mmu.c rewrites them all, since a global leaf would
 * survive in the TLB under the user's ASID, which is what KPTI exists to prevent. The entry
 * trampoline stays global. The captured variable decides; compareVariables() reports a kernel that
 * has none.
 */
export const globalBit: Invariant = (context) => {
  const { capture, linear } = context;
  if (capture.variables.arm64_use_ng_mappings === undefined) return [];
  const useNg = isSet(context, 'arm64_use_ng_mappings');
  const valid = capture.ttbr1.leaves.filter((run) => run.valid);
  const broken = useNg
    ? valid.filter(
        // Nothing that TTBR1 can map is below the linear map.
        (run) => run.va < linear.end && (run.attributes & nonGlobal) === 0n,
      )
    : valid.filter((run) => (run.attributes & nonGlobal) !== 0n);
  return leavesViolation(
    context,
    {
      name: 'global-bit',
      nature: useNg ? 'global-with-kpti' : 'non-global-without-kpti',
      title: useNg
        ? 'linear map leaves are global although KPTI is on'
        : 'kernel leaves are non-global although KPTI is off',
      because: `arm64_use_ng_mappings is ${useNg}: nG must be ${useNg ? 'set' : 'clear'}.`,
    },
    broken,
  );
};
