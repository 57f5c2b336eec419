// SPDX-License-Identifier: GPL-2.0-only
import type { RunDirectory } from '../../results/run-directory.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import type { Depth } from '../../src/scenario/depth.ts';
import type { Case } from './boot-case.ts';
import type { Laboratory } from './laboratory.ts';
import { runCase } from './run-case.ts';

/** A case whose folder is made when it starts. */
export type PlacedCase = Omit<Case, 'directory' | 'depth'> & { depth: Depth };

/** Where the cases of a run are run: in this process, or on a farm. */
export interface Workplace {
  /** The most cases that it takes at the same time. */
  jobs: number;
  /** Whether it tries again itself what fails and may go better. */
  retries: boolean;
  /** Settles when it can take a case; it always can where this is absent. */
  turn?(signal: AbortSignal): Promise<void>;
  /**
   * Runs a case and leaves its files in its folder.
   * @throws PtdiffError for what is not the kernel's fault
   */
  run(each: PlacedCase, signal: AbortSignal): Promise<CaseResult>;
  /** Whatever is left of the run there is given up. */
  close(): Promise<void>;
}

/** This process and its machine. */
export function localWorkplace(
  laboratory: Laboratory,
  directory: RunDirectory,
  jobs: number,
): Workplace {
  return {
    jobs,
    retries: false,
    run: (each, signal) =>
      runCase(laboratory, { ...each, directory: directory.caseDirectory(each.name) }, signal),
    close: async () => {},
  };
}
