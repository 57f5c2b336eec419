// SPDX-License-Identifier: GPL-2.0-only
import type { NightJudgement } from './judge-night.ts';
import type { Lead } from './lead.ts';
import type { LoneHost } from './lone-hosts.ts';
import type { Reason } from './plan-night.ts';

/** What came of a night. */
export interface NightSummary {
  /** ISO 8601, UTC. */
  started: string;
  ended: string;
  judgement: NightJudgement;
  /** Cases that told something of their kernel tonight. */
  cases: number;
  /** Cases without a verdict on the kernel, second attempts included. */
  errors: { case: string; reason: string }[];
  /** Watches whose kernel could not be had. */
  unavailable: { spec: string; reason: string }[];
  /** Kernels that a watch did not have when it was last looked at. */
  newKernels: NewKernel[];
  /** Findings that one worker of a farm alone has shown; absent where there are none. */
  loneHosts?: LoneHost[];
  /** Where to search for the origin of the first new finding. */
  lead?: Lead;
  /** Why Debian's lists of packages are older than tonight: what is new there was not seen. */
  oldLists?: string;
  /** What was to be run tonight, and how much of it the time sufficed for. */
  plan: Record<Reason, { planned: number; run: number }>;
  coverage: Coverage;
  /** The folders of tonight's runs. */
  folders: string[];
  interrupted: boolean;
}

/** A kernel that a watch has come to. */
export interface NewKernel {
  watch: string;
  release: string;
  /** Whether the watch once had the same Image: a branch that went back. */
  again: boolean;
  commit?: WatchedCommit;
}

/** What a branch points to. */
export interface WatchedCommit {
  /** 40 hex digits. */
  id: string;
  subject: string;
}

/** A commit as kernel people write it. */
export function commitText({ id, subject }: WatchedCommit): string {
  return `commit ${id.slice(0, 12)} ("${subject}")`;
}

/** How much of the matrix the last nights have looked at. */
export interface Coverage {
  nights: number;
  total: number;
  covered: number;
  /** Cases that they have not, some of them by name. */
  missing: string[];
  /** When all of it was covered last, ISO 8601; absent where that never was. */
  lastFull?: string;
}

/**
 * Whether a night says something went wrong with ptdiff, the host or what it was given: then it
 * proves less than it should.
 */
export function hasErrors({
  judgement,
  errors,
  unavailable,
  cases,
  oldLists,
}: NightSummary): boolean {
  const incomplete = errors.length > 0 || unavailable.length > 0 || oldLists !== undefined;
  return cases === 0 || incomplete || judgement.unconfirmed.length > 0;
}
