// SPDX-License-Identifier: GPL-2.0-only
import { writeEvidence } from '../../../results/evidence-files.ts';
import { judgeTables, type TablesContext } from '../../../src/diff/judge-tables.ts';
import type { KnownIssue } from '../../../src/diff/match-known.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { evidenceOf, notesOf } from '../../../src/evidence/board-evidence.ts';
import { memoryOf } from '../../../src/evidence/board-memory.ts';
import {
  areIdentified,
  bootCpus,
  idRegistersOf,
  scenarioOf,
} from '../../../src/evidence/board-scenario.ts';
import { aliasBitOf } from '../../../src/evidence/boot-facts.ts';
import { ipaBitsOf } from '../../../src/evidence/inferred-sharing.ts';
import { geometryOf } from '../../../src/linux/geometry.ts';
import { linearRange } from '../../../src/linux/kernel-layout.ts';
import { subtract } from '../../../src/linux/physical-range.ts';
import { registersOfUnknown } from '../../../src/model/live-registers.ts';
import { first } from '../../../src/present.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import type { Granule } from '../../../src/vmsa/types.ts';
import { unpredictedResult } from './unpredicted-result.ts';
import { type Place, type WholeBoard, walkBoard } from './whole-board.ts';

/**
 * What the tables are read by where no CPU is known: addresses as wide as can be. The kernel's
 * entries mean the same with and without permission indirection (PIE_E1 of pgtable-prot.h).
 */
const unidentified = { ID_AA64MMFR0_EL1: 6n };

/**
 * Judges a board whose kernel, or whose CPUs, could not be had: nothing is predicted, and only those
 * invariants are checked that need no symbol.
 * @param lacks the sentence that says what the user has to give
 * @throws PtdiffError(usage) for tables that VMCOREINFO does not describe
 */
export function judgeUnknown(
  board: WholeBoard,
  lacks: string,
  { name, directory }: Place,
  knownIssues: readonly KnownIssue[],
): { result: CaseResult; scenario: Scenario } {
  const started = performance.now();
  const { vmcoreinfo: info, root } = board;
  const granule = info.granule as Granule;
  const cpus = bootCpus(board, info);
  const idRegisters = areIdentified(cpus) ? first(idRegistersOf(cpus, board)) : unidentified;
  const pages = { granule, vaBits: info.vaBits };
  const registers = registersOfUnknown(pages, idRegisters, { t1sz: info.t1sz, pa: root.pa });
  const ttbr1 = walkBoard(board, registers);
  // Where _text is linked, only the kernel's Image tells.
  const image = { pa: 0, slide: info.slide };
  const evidence = evidenceOf(board, info, { image, registers, ttbr1 });
  writeEvidence(directory, evidence);
  const { present, noMap, added } = memoryOf(board);
  const linear = linearRange(info.vaBits, geometryOf(granule));
  const context: TablesContext = {
    evidence,
    granule,
    ram: present.flatMap((range) => subtract(range, noMap)),
    noMap,
    added,
    layout: { pageOffset: linear.start, pageEnd: linear.end },
    aliasBit: aliasBitOf({ ipaBits: ipaBitsOf(board) }),
    unsteady: [],
  };
  const scenario = scenarioOf(board, info, name);
  const { release } = info;
  return {
    scenario,
    result: unpredictedResult(name, release, started, {
      ...judgeTables(context, { release, scenario }, knownIssues),
      notes: [
        `${lacks} Nothing is predicted: only the invariants that need no symbol were checked.`,
        ...notesOf(board),
      ],
    }),
  };
}
