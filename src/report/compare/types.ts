// SPDX-License-Identifier: GPL-2.0-only
import type { PairComparison, Sides } from '../../compare/types.ts';
import type { CaseDossier } from '../types.ts';

/** One side of a comparison: a kernel, or every kernel of a run. */
export interface SideIdentity {
  /** As the user named it. */
  asked: string;
  /** Kernels whose cases take part. */
  kernels: { spec: string; release: string; sha256: string }[];
  /** The run folder that the evidence lies in, as the user may type it. */
  folder: string;
  emulator: { version: string; sha256: string };
  /**
   * Hashes of the guest program and of the realm monitor; the latter only where a scenario needed
   * it.
   */
  initramfs: string;
  monitor?: string;
  /** The ptdiff whose model predicted: version and commit. */
  model: string;
}

/** Everything that a report of a comparison is made of. */
export interface ComparisonReport {
  sides: Sides<SideIdentity>;
  /**
   * What the two sides do not have in common, besides the kernels: emulator, guest program, … One
   * sentence each.
   */
  unlike: string[];
  /** Scenarios of one name that are not the same experiment: not compared. */
  refused: { name: string; reasons: string[] }[];
  /**
   * Cases that only one side has, and those that could not be compared since they, or their files,
   * failed.
   */
  uncompared: { name: string; reason: string; failed: boolean }[];
  pairs: PairComparison[];
  /** What the pictures need, for the pairs that are drawn, by name. */
  drawings: Map<string, Sides<CaseDossier>>;
}
