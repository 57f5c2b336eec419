// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { writeText } from '../../../host/host-file.ts';
import { timedNow } from '../../../host/timed.ts';
import { writeEvidence } from '../../../results/evidence-files.ts';
import type { KnownIssue } from '../../../src/diff/match-known.ts';
import type { Grade } from '../../../src/diff/split-history/explain.ts';
import { countText } from '../../../src/diff/text.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { evidenceOf, imageOf, notesOf } from '../../../src/evidence/board-evidence.ts';
import {
  boardFactsOf,
  bootCpus,
  idRegistersOf,
  scenarioOf,
} from '../../../src/evidence/board-scenario.ts';
import type { BootFacts } from '../../../src/evidence/boot-facts.ts';
import type { Evidence } from '../../../src/evidence/capture.ts';
import { sizeOf } from '../../../src/linux/physical-range.ts';
import { registersInOperation } from '../../../src/model/live-registers.ts';
import { boardScenarioFile } from '../../../src/report/board-scenario.ts';
import { runWords } from '../../../src/report/export/mail-layout.ts';
import type { FleetBoard } from '../../../src/report/fleet.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import type { Granule } from '../../../src/vmsa/types.ts';
import { writeConclusions } from '../case-files.ts';
import { judgeCase } from '../judge-case.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { questionOf } from '../question.ts';
import { kernelOf } from '../run-case.ts';
import { type BoardHistory, gradeWords } from './board-history.ts';
import { type Place, type WholeBoard, walkBoard } from './whole-board.ts';

/**
 * The tables of a board, decoded as its kernel must have set the registers.
 * @throws PtdiffError(usage) where kernel and tables do not fit together
 */
function observe(board: WholeBoard, kernel: LoadedKernel, scenario: Scenario): Evidence {
  const { vmcoreinfo: info, root } = board;
  const { traits, symbols } = kernel;
  if (traits.geometry.granule !== info.granule || traits.config.vaBits !== info.vaBits) {
    throw new PtdiffError(
      'usage',
      `The board has pages of ${info.granule} bytes and virtual addresses of ${info.vaBits} bits, and its kernel ${kernel.image.spec} has ${traits.geometry.granule} and ${traits.config.vaBits}.`,
    );
  }
  const image = imageOf(info, symbols.textBase);
  const facts = {
    idRegisters: idRegistersOf(bootCpus(board, info), board),
    image,
    ...{ readOnlyVmalloc: {}, splitRequests: [], sharing: [], probePages: [] },
  };
  const question = questionOf(kernel, scenario, facts);
  const registers = registersInOperation(question, { t1sz: info.t1sz, pa: root.pa });
  const ttbr1 = walkBoard(board, registers);
  return evidenceOf(board, info, { image, registers, ttbr1 });
}

/**
 * Writes the scenario that shows a board on emulated hardware.
 * @returns a sentence with the command that runs it
 */
function writeScenario(board: WholeBoard, kernel: LoadedKernel, place: Place): string {
  const { spec } = kernel.image;
  const file = join(place.directory, 'scenario.yaml');
  const label = place.name.replace(/^board\+/, '');
  const { pa } = imageOf(board.vmcoreinfo, kernel.symbols.textBase);
  const facts = boardFactsOf(board, board.vmcoreinfo, label, pa);
  writeText(file, boardScenarioFile(facts, spec, file));
  return `On emulated hardware: ${runWords(spec, file).join(' ')}.`;
}

/** What a fleet is told of a board; undefined where nothing of its linear map is predicted. */
function fleetBoardOf(
  board: WholeBoard,
  { name }: Place,
  { linearMap, symbols, kernel }: CaseResult,
  history: BoardHistory | undefined,
): FleetBoard | undefined {
  const actual = linearMap.live;
  if (history === undefined || actual === undefined) return undefined;
  const meminfo = board.files['/proc/meminfo'];
  return {
    label: name.replace(/^board\+/, ''),
    release: kernel.release,
    granule: board.vmcoreinfo.granule as Granule,
    uptime: board.collected.uptime,
    grade: symbols.grade as Grade,
    splits: history.splits,
    actual,
    predicted: history.atBoot,
    ...(meminfo !== undefined && { meminfo }),
  };
}

/** What the prediction takes from the tables of a realm. */
function sharingNotes({ sharing, ipaBits }: BootFacts): string[] {
  if (ipaBits === undefined) return [];
  const pages = sharing.reduce((sum, each) => sum + each.pages, 0);
  return [
    `It is a realm, and nobody saw what it asked of the RMM: that it shares ${countText(pages, 'page')}, in ${countText(sharing.length, 'stretch', 'stretches')}, is taken from its tables.`,
  ];
}

/** What may be free with debug_pagealloc, of which the tables are the only witness. */
function freeNotes({ freePages }: BootFacts, granule: number): string[] {
  if (freePages?.live === undefined) return [];
  const pages = sizeOf(...freePages.live) / granule;
  return [
    `Its kernel makes free pages invalid (debug_pagealloc), and what was free is not known: ${countText(pages, 'page')} of the linear map ${pages === 1 ? 'is' : 'are'} not valid and may be free, which is not held against the board.`,
  ];
}

/**
 * Judges a board by its own kernel, and writes everything into the folder of its case.
 * @throws PtdiffError(usage) where the archive, or the kernel, is not what it must be
 */
export function judgeBoard(
  board: WholeBoard,
  kernel: LoadedKernel,
  place: Place,
  knownIssues: KnownIssue[],
): { result: CaseResult; scenario: Scenario; inFleet?: FleetBoard } {
  const { name, directory } = place;
  const started = performance.now();
  const scenario = scenarioOf(board, board.vmcoreinfo, name);
  const evidence = timedNow('walking', () => observe(board, kernel, scenario));
  timedNow('writing', () => writeEvidence(directory, evidence));
  const judged = timedNow('judging', () => judgeCase(kernel, scenario, evidence, knownIssues));
  timedNow('writing', () => writeConclusions({ name, kernel, scenario, directory }, judged));
  const { notPredicted: _, differences: __, ...judgement } = judged.judgement;
  const { grade, notes } = gradeWords(judged.history, judgement.findings);
  const command = writeScenario(board, kernel, place);
  const result: CaseResult = {
    case: name,
    kernel: kernelOf(kernel),
    scenario: name,
    depth: 'full',
    ...judgement,
    symbols: {
      ...judgement.symbols,
      grade,
      ...(judged.history && { splits: String(judged.history.splits) }),
    },
    seconds: Math.round((performance.now() - started) / 10) / 100,
    notes: [
      ...[...notes, command, ...sharingNotes(judged.facts)],
      ...freeNotes(judged.facts, board.vmcoreinfo.granule),
      ...[...notesOf(board), ...judged.notes],
    ],
  };
  const inFleet = fleetBoardOf(board, place, result, judged.history);
  return { scenario, result, ...(inFleet && { inFleet }) };
}
