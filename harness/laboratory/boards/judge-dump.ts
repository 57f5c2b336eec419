// SPDX-License-Identifier: GPL-2.0-only
import { writeEvidence } from '../../../results/evidence-files.ts';
import { invariantsOfDump } from '../../../src/diff/invariants/index.ts';
import { judgeTables, type TablesContext } from '../../../src/diff/judge-tables.ts';
import type { KnownIssue } from '../../../src/diff/match-known.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import type { DumpedBoard } from '../../../src/evidence/board-dump.ts';
import { collectedNotes } from '../../../src/evidence/board-evidence.ts';
import { memoryOf } from '../../../src/evidence/board-memory.ts';
import { parametersOf, scenarioOf } from '../../../src/evidence/board-scenario.ts';
import type { Capture, Evidence } from '../../../src/evidence/capture.ts';
import { valuesOf } from '../../../src/linux/cmdline.ts';
import { PTE_NG } from '../../../src/linux/pgprot.ts';
import { registersOfUnknown } from '../../../src/model/live-registers.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import { unpredictedResult } from './unpredicted-result.ts';
import type { Place } from './whole-board.ts';

/** Whether the command line leaves the kernel's text writable (rodata=off). */
function leavesTextWritable(board: DumpedBoard): boolean {
  return valuesOf(parametersOf(board), 'rodata').includes('off');
}

/**
 * arm64_use_ng_mappings as most of the linear map has it: with KPTI no leaf of it is global, and
 * without it no leaf of the kernel is anything else.
 */
function mostlyNonGlobal({ leaves, linear }: DumpedBoard): bigint {
  let excess = 0;
  for (const { va, size, valid, attributes } of leaves) {
    if (valid && va < linear.end) excess += (attributes & PTE_NG) === 0n ? -size : size;
  }
  return excess > 0 ? 1n : 0n;
}

/** What the dump, /proc/iomem and the command line show, in the terms of a walk from outside. */
function captureOf(board: DumpedBoard): Capture {
  const { granule, vaBits, linear, vaMinusPa, leaves } = board;
  const registers = registersOfUnknown({ granule, vaBits }, {}, { t1sz: 64 - vaBits, pa: 0 });
  return {
    checkpoint: 'live',
    cpus: [{ online: true, registers }],
    registersPredicted: true,
    ttbr1: { leaves, tables: [], malformed: [] },
    variables: {
      rodata_enabled: leavesTextWritable(board) ? 0n : 1n,
      arm64_use_ng_mappings: mostlyNonGlobal(board),
      ...(vaMinusPa !== undefined && { memstart_addr: linear.start - vaMinusPa }),
    },
  };
}

/** Whether the bits of shareability are address bits, as with every kernel for 52 bits but 64K. */
const hasLpa2 = ({ vaBits, granule }: DumpedBoard): boolean => vaBits === 52 && granule !== 65536;

/** What a report on such a board must say, in sentences. */
function notesOf(board: DumpedBoard, kernel: string | undefined): string[] {
  const checked = [
    ...(leavesTextWritable(board) ? [] : ['nothing is both writable and executable']),
    'nothing is open to user space',
    'every leaf has the access flag',
    ...(hasLpa2(board) ? [] : ['normal memory is inner shareable']),
    'nG is the same all over the linear map (whether KPTI is on is taken from most of it)',
    'the linear map is not executable, and is write-back memory',
    ...(board.vaMinusPa === undefined ? [] : ['it covers all memory of /proc/iomem and no more']),
    ...(board.vaMinusPa === undefined || board.kernelCode === undefined
      ? []
      : ['in it the kernel code of /proc/iomem is read-only']),
  ];
  return [
    `Only the kernel's own dump of its tables could be had. By it alone was checked: ${checked.join('; ')}.`,
    'Nothing is predicted: a dump has no physical addresses, no tables and no raw descriptors, and the archive has neither memblock nor the ID registers. Not checked: where mappings point, aliases of one page, tables, contiguous groups, and DBM, with which hardware makes a page writable. Collect again where the kernel has /proc/kcore or BPF, or from a crash dump with --core.',
    ...(kernel === undefined
      ? []
      : [`--kernel ${kernel} is not used: such an archive has nothing to predict from.`]),
    ...(board.vaMinusPa === undefined
      ? [
          'Which memory the linear map covers is not known: /proc/iomem has no addresses, or the dump does not fit to them.',
        ]
      : []),
    ...(leavesTextWritable(board)
      ? ['With rodata=off the text may be writable, and a dump does not show where it is.']
      : []),
    ...memoryOf(board).notes,
    ...collectedNotes(board),
  ];
}

/**
 * Judges a board of which only the kernel's own dump of its tables could be had: nothing is
 * predicted, and only those invariants are checked that a dump shows enough for. The leaves are not
 * stored as those of a walk are: the dump itself is, as the archive has it.
 * @param kernel spec of --kernel, which is of no use here
 */
export function judgeDump(
  board: DumpedBoard,
  { name, directory }: Place,
  knownIssues: readonly KnownIssue[],
  kernel?: string,
): { result: CaseResult; scenario: Scenario } {
  const started = performance.now();
  const { release, granule, linear, kernelCode } = board;
  const evidence: Evidence = {
    captures: [],
    ...{ splitRequests: [], files: board.files, probes: [], console: '', idRegisters: [] },
    end: { kind: 'completed' },
    unseen: [{ what: 'live', why: "only the kernel's own dump of them could be had" }],
    image: { pa: 0, slide: 0n },
  };
  writeEvidence(directory, evidence);
  const { present, added } = memoryOf(board);
  // memblock's borders may lie within a page, and /proc/iomem has whole ones.
  const borders = present.flatMap(({ start, end }) => [
    { start: Math.max(0, start - granule), end: start },
    { start: end, end: end + granule },
  ]);
  const context: TablesContext = {
    evidence: { ...evidence, captures: [captureOf(board)] },
    granule,
    ram: present,
    noMap: [],
    added: [...added, ...borders],
    layout: { pageOffset: linear.start, pageEnd: linear.end },
    aliasBit: 0,
    unsteady: [],
    dumped: true,
    ...(kernelCode && { kernelCode }),
  };
  const scenario = scenarioOf(board, { release, slide: 0n }, name);
  const where = { release, scenario };
  return {
    scenario,
    result: unpredictedResult(name, release, started, {
      ...judgeTables(context, where, knownIssues, invariantsOfDump),
      notes: notesOf(board, kernel),
    }),
  };
}
