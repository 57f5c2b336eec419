// SPDX-License-Identifier: GPL-2.0-only
import type { PairComparison, Sides } from '../../compare/types.ts';
import type { CaseDossier } from '../types.ts';

/** One side of a comparison: a kernel, or every kernel of a run. */
export interface SideIdentity {
  /** As the user named it. */
  asked: string;
  /** Kernels whose cases are compared. */
  kernels: { spec: string; release: string; sha256: string }[];
  /** The run folder with the evidence, as the user may type it. */
  folder: string;
  emulator: { version: string; sha256: string };
  /**
   * Hashes of the guest program and of the realm monitor; the monitor's only where a scenario
   * needed it.
   */
  initramfs: string;
  monitor?: string;
  /** Version and commit of the ptdiff whose model made the prediction. */
  model: string;
}

/** Everything that a comparison report needs. */
export interface ComparisonReport {
  sides: Sides<SideIdentity>;
  /**
   * What differs between the two sides besides the kernels: emulator, guest program, … One sentence
   * each.
   */
  unlike: string[];
  /** Scenarios with the same name that are different experiments; they are not compared. */
  refused: { name: string; reasons: string[] }[];
  /**
   * Cases that only one side has, and cases that could not be compared because they or their files
   * have errors.
   */
  uncompared: { name: string; reason: string; failed: boolean }[];
  pairs: PairComparison[];
  /** Data for the pictures of the pairs that are drawn, by name. */
  drawings: Map<string, Sides<CaseDossier>>;
}
