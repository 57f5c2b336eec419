// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult, FindingKind, LinearMapSizes, Verdict } from '../diff/types.ts';
import type { CheckpointName } from '../evidence/capture.ts';

/** A run, with what its results depend on. */
export interface RunMark {
  id: string;
  /** ISO 8601, UTC; a run's results count from the start of the run. */
  started: string;
  folder: string;
  /** Commit of ptdiff, or its version where there is none. */
  ptdiff: string;
  emulator: { version: string; sha256: string };
}

/** What one run saw of one case: a point of the history. */
export interface Look {
  run: RunMark;
  case: string;
  kernel: CaseResult['kernel'];
  /** One name can mean different experiments on different days; then the hashes differ. */
  scenario: { name: string; hash: string };
  verdict: Verdict;
  reason?: string;
  /** Wall-clock seconds of the case. */
  seconds: number;
  findings: { id: string; known?: string }[];
  /** Bytes by leaf kind, at each checkpoint that was reached. */
  linearMap: Partial<Record<CheckpointName, LinearMapSizes>>;
}

/** The text of a finding, the same wherever it shows; the words come from its last sighting. */
export interface FindingText {
  id: string;
  kind: FindingKind;
  checkpoint?: CheckpointName;
  title: string;
  /** Explanation and evidence: several lines. */
  detail: string;
  /** The case that the evidence comes from. */
  case: string;
}
