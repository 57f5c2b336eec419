// SPDX-License-Identifier: GPL-2.0-only
import { partsOutside } from '../../src/diff/physical.ts';
import { endOf } from '../../src/diff/runs.ts';
import type { Capture, Evidence } from '../../src/evidence/capture.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import { mappedFrames } from './capture-checkpoint.ts';
import type { FrequentStop, StopPlan } from './checkpoints.ts';
import type { BreakpointStop, RunOptions } from './guest-runner.ts';

/** A leaf that split_kernel_leaf_mapping() could make smaller. */
const isLarge = ({ level, contiguous }: LeafRun): boolean => level < 3 || contiguous;

/**
 * Whether the linear map has anything to split, as it was found at paging_init(): a leaf larger
 * than a page, outside of the alias of [_text, __init_begin), which nobody changes page by page. It
 * only ever gets finer, so without one no request can change the tables; with debug_pagealloc there
 * would be one for each page that is allocated.
 */
export function hasLeavesToSplit(
  { ttbr1 }: Pick<Capture, 'ttbr1'>,
  image: Evidence['image'],
  symbols: Pick<SymbolTable, 'address' | 'textBase'>,
): boolean {
  const initBegin = symbols.address('__init_begin') ?? symbols.textBase;
  const alias = { start: image.pa, end: image.pa + Number(initBegin - symbols.textBase) };
  // The image, and all that is mapped beside it at that time, lies above its link address.
  return ttbr1.leaves.some(
    (run) => isLarge(run) && run.va < symbols.textBase && partsOutside(run, [alias]).length > 0,
  );
}

/**
 * Whether the KFENCE pool that memblock gave begins with a page, as it was found at paging_init().
 */
function poolHasPages({ captures: [capture] }: Evidence): boolean {
  if (!capture) return false;
  const { ttbr1, variables } = capture;
  const pool = variables.__kfence_pool ?? 0n;
  return ttbr1.leaves.some((run) => pool >= run.va && pool < endOf(run) && !isLarge(run));
}

/**
 * Records every request of split_kernel_leaf_mapping() from here on, each at the cost of a stop.
 * @param groupProtection record calls of set_memory_ro() instead of the requests that follow from
 * them
 */
export async function recordSplits(
  boot: BootInProgress,
  plan: StopPlan,
  split: FrequentStop,
  groupProtection: boolean,
): Promise<void> {
  const { breakpoints } = boot;
  const address = split.address + boot.kernel.slide;
  await breakpoints.always(address, (stop) => atSplit(boot, stop, split.skippable));
  // kfence_init() makes the guard pages of its pool invalid one by one: as many requests as half of
  // all, and of pages they split nothing.
  if (poolHasPages(boot.evidence)) {
    await breakpoints.onceAtSymbol(plan.kfenceInit, async ({ registers }) => {
      await breakpoints.pause(address, registers.x30);
      return {};
    });
  }
  if (groupProtection) {
    await breakpoints.alwaysAtSymbol(plan.setMemoryRo, (stop) =>
      atSetMemoryRo(boot, stop, address),
    );
  }
}

/** split_kernel_leaf_mapping(start, end) of arch/arm64/mm/mmu.c. */
async function atSplit(
  boot: BootInProgress,
  { thread, registers }: BreakpointStop,
  skippable: boolean,
): Promise<RunOptions> {
  const { pc, x0, x1 } = registers;
  const early = boot.capabilitiesFinal ? {} : { early: true as const };
  boot.evidence.splitRequests.push({ start: x0, end: x1, before: boot.nextCheckpoint(), ...early });
  if (skippable) {
    return { resumeAt: pc + 4n };
  }
  await boot.vm.gdb.stepOver(thread, pc);
  return {};
}

/**
 * set_memory_ro(addr, numpages) of arch/arm64/mm/pageattr.c; in a realm's early boot a request may
 * be refused, so each is recorded.
 */
async function atSetMemoryRo(
  boot: BootInProgress,
  { thread, registers }: BreakpointStop,
  splitAddress: bigint,
): Promise<RunOptions> {
  const { pc, x0, x1, x30 } = registers;
  if (boot.capabilitiesFinal) {
    const frames = await mappedFrames(boot.vm, thread, x0, Number(BigInt.asIntN(32, x1)));
    const request = { frames, before: boot.nextCheckpoint() };
    boot.evidence.protectRequests = [...(boot.evidence.protectRequests ?? []), request];
    await boot.breakpoints.pause(splitAddress, x30);
  }
  await boot.vm.gdb.stepOver(thread, pc);
  return {};
}
