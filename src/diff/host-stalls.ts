// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../evidence/capture.ts';
import type { SplatKind } from '../linux/splat-headers.ts';
import { findingId } from './finding-id.ts';
import type { Finding } from './types.ts';

/** Complaints of the kernel's watchdogs that depend only on the clock. */
const timed: readonly SplatKind[] = ['lockup', 'rcu-stall', 'hung-task'];

/**
 * Half of the time after which the first of them complains: 2 * watchdog_thresh is 20 s
 * (kernel/watchdog.c), an RCU stall takes 21 s.
 */
const longWait = 10;

/** Findings of a boot without those that the host may have caused. */
interface WithoutHostStalls {
  findings: Finding[];
  /** What was left out and why, in one sentence. */
  reason?: string;
}

/**
 * Removes the kernel's complaints about stalled CPUs if the host made the emulator wait: the
 * guest's clock runs on while its CPUs stand still. A boot that did not complete keeps them, since
 * they may show where it hangs.
 */
export function withoutHostStalls(
  findings: Finding[],
  { end, hostWaitSeconds = 0 }: Pick<Evidence, 'end' | 'hostWaitSeconds'>,
): WithoutHostStalls {
  if (end.kind !== 'completed' || hostWaitSeconds < longWait) return { findings };
  const isStall = ({ id }: Finding) =>
    timed.some((kind) => id.startsWith(`${findingId('splat', [kind])}/`));
  const stall = findings.find(isStall);
  if (!stall) return { findings };
  const waited = `one of its CPUs waited ${Math.round(hostWaitSeconds)} s for a CPU of this host`;
  return {
    findings: findings.filter((finding) => !isStall(finding)),
    reason: `The kernel complained of a ${stall.title.replace(/ in .*/, '')}, but ${waited}: run it again with fewer --jobs, or on a host with less load.`,
  };
}
