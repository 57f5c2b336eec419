// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../../src/errors.ts';
import type { Board } from '../../../src/evidence/board.ts';
import { sizeOf } from '../../../src/linux/physical-range.ts';
import { stage1Regime } from '../../../src/vmsa/regime.ts';
import type { SystemRegisters, WalkResult } from '../../../src/vmsa/types.ts';
import { walkRuns } from '../../../src/vmsa/walk-runs.ts';

/** An archive with everything that a judgement needs. */
export type WholeBoard = Board & Required<Pick<Board, 'vmcoreinfo' | 'root' | 'memory'>>;

/** As much as four million tables can map in pages of 4K. */
const mostMemory = 8 * 2 ** 40;

/**
 * Makes sure that an archive has what a judgement needs.
 * @throws PtdiffError(usage) that says what it lacks, and what that means
 */
export function wholeBoard(board: Board, path: string): WholeBoard {
  const { vmcoreinfo, root, memory } = board;
  const lacks = Object.entries({ vmcoreinfo, descriptors: root, memblock: memory })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  if (vmcoreinfo === undefined || root === undefined || memory === undefined) {
    throw new PtdiffError(
      'usage',
      `${path} cannot be judged, since it has no ${lacks.join(' and no ')}; collect it again.`,
    );
  }
  const bytes = sizeOf(...memory);
  if (bytes === 0 || bytes > mostMemory) {
    throw new PtdiffError(
      'usage',
      `${path} cannot be judged: its memblock has ${Math.round(bytes / 2 ** 30)} GiB of memory, and ptdiff judges up to ${mostMemory / 2 ** 30} GiB.`,
    );
  }
  return { ...board, vmcoreinfo, root, memory };
}

/** Where the results of a board go, and how they are called. */
export interface Place {
  name: string;
  directory: string;
}

/**
 * Walks the kernel half of a board.
 * @param registers as its kernel must have set them
 * @throws PtdiffError(usage) where registers and tables do not fit together
 */
export function walkBoard(
  { root, descriptors }: WholeBoard,
  registers: SystemRegisters,
): WalkResult {
  const regime = stage1Regime(registers, 'ttbr1');
  if (regime.notWalked !== undefined) {
    throw new PtdiffError(
      'usage',
      `The tables of the board cannot be walked by the registers that its kernel must have set, so that the archive is damaged, or of another kernel: ${regime.notWalked}`,
    );
  }
  if (regime.rootEntries !== root.entries) {
    throw new PtdiffError(
      'usage',
      `The first table of the board has ${root.entries} entries, and by its registers it must have ${regime.rootEntries}: the archive is damaged; collect it again.`,
    );
  }
  return walkRuns(regime, descriptors);
}
