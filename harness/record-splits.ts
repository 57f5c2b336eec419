import { mappedFrames } from './capture-checkpoint.ts';
import type { FrequentStop, StopPlan } from './checkpoints.ts';
import type { BreakpointStop, RunOptions } from './guest-runner.ts';
import type { ObservedBoot } from './observed-boot.ts';

/**
 * Records every request of split_kernel_leaf_mapping() from here on, each at the cost of a stop.
 * @param groupProtection record calls of set_memory_ro() instead of the requests that follow from them
 */
export async function recordSplits(
  boot: ObservedBoot,
  plan: StopPlan,
  split: FrequentStop,
  groupProtection: boolean,
): Promise<void> {
  const { breakpoints } = boot;
  const address = split.address + boot.kernel.slide;
  await breakpoints.always(address, (stop) => atSplit(boot, stop, split.skippable));
  // kfence_init() makes the guard pages of its pool invalid one by one. map_mem() has mapped the pool as pages, so these requests split
  // nothing, and they are as many as half of all.
  await breakpoints.onceAtSymbol(plan.kfenceInit, async ({ registers }) => {
    await breakpoints.pause(address, registers.x30);
    return {};
  });
  if (groupProtection) {
    await breakpoints.alwaysAtSymbol(plan.setMemoryRo, (stop) => atSetMemoryRo(boot, stop, address));
  }
}

/** split_kernel_leaf_mapping(start, end) of arch/arm64/mm/mmu.c. */
async function atSplit(
  boot: ObservedBoot,
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

/** set_memory_ro(addr, numpages) of arch/arm64/mm/pageattr.c; in a realm's early boot a request may be refused, so each is recorded. */
async function atSetMemoryRo(
  boot: ObservedBoot,
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
