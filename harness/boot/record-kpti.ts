// SPDX-License-Identifier: GPL-2.0-only

import type { BootInProgress } from './boot-in-progress.ts';
import { captureCheckpoint } from './capture-checkpoint.ts';
import type { StopPlan } from './checkpoints.ts';
import type { BreakpointStop } from './guest-runner.ts';

/**
 * With debug_pagealloc on, records which pages are free when KPTI rewrites the tables. It stops at
 * idmap_kpti_install_ng_mappings() of arch/arm64/mm/proc.S, which every CPU runs at its physical
 * address. The boot CPU, which has 0 in x0, rewrites the tables, and has already allocated
 * everything it needs for that.
 */
export async function recordKpti(boot: BootInProgress, { kptiRewrite }: StopPlan): Promise<void> {
  const { vm, kernel, breakpoints, evidence } = boot;
  if (kptiRewrite === undefined) return;
  const physical = BigInt(evidence.image.pa) + kptiRewrite - kernel.symbols.textBase;
  await breakpoints.always(physical, async ({ thread, registers }: BreakpointStop) => {
    if (registers.x0 === 0n) {
      const { freePages } = await captureCheckpoint(vm, kernel, 'free_initmem', thread);
      if (freePages) evidence.freeAtKpti = freePages;
    }
    await vm.gdb.stepOver(thread, registers.pc);
    return {};
  });
}
