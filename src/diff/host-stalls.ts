// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../evidence/capture.ts';
import type { SplatKind } from '../linux/splat-headers.ts';
import { findingId } from './finding-id.ts';
import type { Finding } from './types.ts';

/** Complaints of the kernel's watchdogs, which look at the clock alone. */
const timed: readonly SplatKind[] = ['lockup', 'rcu-stall', 'hung-task'];

/**
 * Half of the time after which the first of them complains: 2 * watchdog_thresh is 20 s
 * (kernel/watchdog.c), an RCU stall takes 21 s.
 */
const longWait = 10;

/** Findings of a boot, less those that may be the host's doing. */
interface WithoutHostStalls {
  findings: Finding[];
  /** What was left out and why, in one sentence. */
  reason?: string;
}

/**
 * Leaves out what a kernel says of stalled CPUs where the host let the emulator wait: the guest's
 * clock goes on while its CPUs stand still. A boot that did not complete keeps them, for they may
 * tell where it hangs.
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
