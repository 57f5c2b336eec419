// SPDX-License-Identifier: GPL-2.0-only
import { partsOutside } from '../../src/diff/physical.ts';
import { endOf } from '../../src/diff/runs.ts';
import type { Capture, Evidence } from '../../src/evidence/capture.ts';
import { int } from '../../src/linux/arguments.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import { mappedFrames } from './capture-checkpoint.ts';
import type { FrequentStop, StopPlan } from './checkpoints.ts';
import type { BreakpointStop, RunOptions } from './guest-runner.ts';

/** Whether split_kernel_leaf_mapping() could split a leaf. */
const isLarge = ({ level, contiguous }: LeafRun): boolean => level < 3 || contiguous;

/**
 * Whether the linear map, as found at paging_init(), has anything to split: a leaf larger than a
 * page, outside the alias of [_text, __init_begin), which never changes page by page. Leaves only
 * ever get smaller, so without such a leaf no request can change the tables; and with
 * debug_pagealloc there would be a request for every allocated page.
 */
export function hasLeavesToSplit(
  { ttbr1 }: Pick<Capture, 'ttbr1'>,
  image: Evidence['image'],
  symbols: Pick<SymbolTable, 'address' | 'textBase'>,
): boolean {
  const initBegin = symbols.address('__init_begin') ?? symbols.textBase;
  const alias = { start: image.pa, end: image.pa + Number(initBegin - symbols.textBase) };
  // At that time, the image and everything mapped next to it are above its link address.
  return ttbr1.leaves.some(
    (run) => isLarge(run) && run.va < symbols.textBase && partsOutside(run, [alias]).length > 0,
  );
}

/** Whether the KFENCE pool from memblock begins with a page, as found at paging_init(). */
export function poolHasPages({ captures: [capture] }: Evidence): boolean {
  if (!capture) return false;
  const { ttbr1, variables } = capture;
  const pool = variables.__kfence_pool ?? 0n;
  return ttbr1.leaves.some((run) => pool >= run.va && pool < endOf(run) && !isLarge(run));
}

/**
 * Records every call of split_kernel_leaf_mapping() from here on, each at the cost of a stop.
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
  // kfence_init() makes the guard pages of its pool invalid one by one: half of all requests, and
  // in a pool of pages they split nothing.
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
  const before = boot.nextCheckpoint();
  if (before !== undefined)
    boot.evidence.splitRequests.push({ start: x0, end: x1, before, ...early });
  if (skippable) {
    return { resumeAt: pc + 4n };
  }
  await boot.vm.gdb.stepOver(thread, pc);
  return {};
}

/**
 * set_memory_ro(addr, numpages) of arch/arm64/mm/pageattr.c; in a realm's early boot a request may
 * be refused, so each one is recorded.
 */
async function atSetMemoryRo(
  boot: BootInProgress,
  { thread, registers }: BreakpointStop,
  splitAddress: bigint,
): Promise<RunOptions> {
  const { pc, x0, x1, x30 } = registers;
  const before = boot.nextCheckpoint();
  if (boot.capabilitiesFinal && before !== undefined) {
    const frames = await mappedFrames(boot.vm, thread, x0, int(x1));
    const request = { frames, before };
    boot.evidence.protectRequests = [...(boot.evidence.protectRequests ?? []), request];
    await boot.breakpoints.pause(splitAddress, x30);
  }
  await boot.vm.gdb.stepOver(thread, pc);
  return {};
}
