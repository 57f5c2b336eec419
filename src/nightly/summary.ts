// SPDX-License-Identifier: GPL-2.0-only
import type { ExploredNight } from './explored.ts';
import type { NightJudgement } from './judge-night.ts';
import type { Lead } from './lead.ts';
import type { LoneHost } from './lone-hosts.ts';
import type { Reason } from './plan-night.ts';

/** The results of a night. */
export interface NightSummary {
  /** ISO 8601, UTC. */
  started: string;
  ended: string;
  judgement: NightJudgement;
  /** Cases that gave a result for their kernel tonight. */
  cases: number;
  /** Cases without a verdict on the kernel, second attempts included. */
  errors: { case: string; reason: string }[];
  /** Watches whose kernel was not available. */
  unavailable: { spec: string; reason: string }[];
  /** Kernels that a watch did not have when it was last looked at. */
  newKernels: NewKernel[];
  /** Findings that one worker of a farm alone has shown; absent where there are none. */
  loneHosts?: LoneHost[];
  /** Where to search for the origin of the first new finding. */
  lead?: Lead;
  /**
   * Why Debian's lists of packages are older than tonight, so that newer packages were not seen.
   */
  oldLists?: string;
  /** How many cases were planned for tonight, and how many of them ran in time. */
  plan: Record<Reason, { planned: number; run: number }>;
  coverage: Coverage;
  /** Machines made at random; absent where there was no time for any. */
  explored?: ExploredNight;
  /** The folders of tonight's runs. */
  folders: string[];
  interrupted: boolean;
}

/** A kernel that is new for a watch. */
export interface NewKernel {
  watch: string;
  release: string;
  /** Whether the watch had the same Image before: a branch that went back. */
  again: boolean;
  commit?: WatchedCommit;
}

/** The commit that a branch points to. */
interface WatchedCommit {
  /** 40 hex digits. */
  id: string;
  subject: string;
}

/** A commit in the kernel's citation style. */
export function commitText({ id, subject }: WatchedCommit): string {
  return `commit ${id.slice(0, 12)} ("${subject}")`;
}

/** How much of the matrix the last nights have covered. */
export interface Coverage {
  nights: number;
  total: number;
  covered: number;
  /** Cases that they have not covered, some of them by name. */
  missing: string[];
  /** When all of it was last covered, ISO 8601; absent if it never was. */
  lastFull?: string;
}

/**
 * Whether something went wrong that night with ptdiff, the host or its inputs: then the night
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
