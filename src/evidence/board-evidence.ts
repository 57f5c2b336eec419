// SPDX-License-Identifier: GPL-2.0-only
import type { SystemRegisters, WalkResult } from '../vmsa/types.ts';
import type { Board, VmcoreInfo } from './board.ts';
import { memoryOf } from './board-memory.ts';
import { bootCpus, idRegistersOf } from './board-scenario.ts';
import type { Evidence } from './capture.ts';
import { debugsPageallocOf } from './inferred-free.ts';

/**
 * Where the image is: its _text runs at its link address plus the slide, and kimage_voffset is what
 * lies between that and its physical address.
 * @param textBase link address of _text
 */
export function imageOf(info: VmcoreInfo, textBase: bigint): Evidence['image'] {
  return { pa: Number(textBase + info.slide - info.kimageVoffset), slide: info.slide };
}

/**
 * A board as evidence with a single checkpoint, `live`.
 * @param registers as predicted: nobody can read them on a running machine
 */
export function evidenceOf(
  board: Board,
  info: VmcoreInfo,
  {
    image,
    registers,
    ttbr1,
  }: { image: Evidence['image']; registers: SystemRegisters; ttbr1: WalkResult },
): Evidence {
  const { added } = memoryOf(board);
  const memblock = board.memory?.map(({ start, end, flags }) => ({ start, end, flags }));
  return {
    captures: [
      {
        checkpoint: 'live',
        cpus: [{ online: true, registers }],
        registersPredicted: true,
        ttbr1,
        variables: board.variables,
        ...(memblock && { memblock }),
      },
    ],
    splitRequests: [],
    files: board.files,
    probes: [],
    console: '',
    end: { kind: 'completed' },
    unseen: [
      { what: 'log', why: 'an archive of collect has no kernel log' },
      ...(debugsPageallocOf(board)
        ? [{ what: 'kpti' as const, why: 'an archive of collect is of a later moment' }]
        : []),
    ],
    image,
    idRegisters: idRegistersOf(bootCpus(board, info), board),
    ...(board.secret.length > 0 && { secretPages: board.secret }),
    ...(added.length > 0 && { addedMemory: added }),
    ...(board.unsettled.length > 0 && { unsettled: board.unsettled }),
  };
}

/** How the archive of a board came to be, and what could not be had: sentences for the report. */
export function collectedNotes({ collected }: Board): string[] {
  const { lost, settled, walks, lockdown } = collected;
  return [
    ...(settled
      ? []
      : [`No two of ${walks} walks agreed: the map was changing while it was collected.`]),
    ...(lockdown === null || lockdown === 'none'
      ? []
      : [`The kernel was locked down: ${lockdown}.`]),
    ...lost.map((sentence) => `Not collected: ${sentence.replace(/\.?$/, '.')}`),
  ];
}

/** What a report on a board must say, in sentences: what is not known, and what is not a fact. */
export function notesOf(board: Board): string[] {
  const { overrides } = board;
  return [
    'TCR_EL1 (but for T1SZ), MAIR_EL1, SCTLR_EL1, TCR2_EL1 and PIR_EL1 are predicted, not read: only the kernel itself can read them.',
    ...overrides.map(
      ({ register, mask }) =>
        `The command line overrides bits 0x${mask.toString(16)} of ${register}; the model takes them as the kernel does.`,
    ),
    ...memoryOf(board).notes,
    ...collectedNotes(board),
  ];
}
