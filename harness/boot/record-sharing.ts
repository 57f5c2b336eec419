// SPDX-License-Identifier: GPL-2.0-only
import type { SharingRequest } from '../../src/evidence/capture.ts';
import type { BootInProgress } from './boot-in-progress.ts';
import type { StopPlan } from './checkpoints.ts';
import type { BreakpointStop } from './guest-runner.ts';
import { readSharingRequest } from './sharing-request.ts';

/**
 * From here on, records what a realm shares: realm_set_memory_decrypted(addr, numpages) and its
 * counterpart in arch/arm64/mm/pageattr.c. Records nothing if the kernel has no symbols for these
 * functions.
 */
export async function recordSharing(
  boot: BootInProgress,
  { decrypt, encrypt }: StopPlan,
): Promise<void> {
  if (decrypt === undefined || encrypt === undefined) return;
  const sharing: SharingRequest[] = [];
  boot.evidence.sharing = sharing;
  boot.capabilitiesFinal = false;
  const record = (direction: SharingRequest['direction']) => async (stop: BreakpointStop) => {
    const before = boot.nextCheckpoint();
    if (before !== undefined) {
      const request = await readSharingRequest(boot.vm.gdb, boot.kernel, stop);
      sharing.push({ ...request, direction, capabilitiesFinal: boot.capabilitiesFinal, before });
    }
    await boot.vm.gdb.stepOver(stop.thread, stop.registers.pc);
    return {};
  };
  await boot.breakpoints.alwaysAtSymbol(decrypt, record('decrypt'));
  await boot.breakpoints.alwaysAtSymbol(encrypt, record('encrypt'));
}
