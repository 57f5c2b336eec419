// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../../src/evidence/capture.ts';
import type { ReadPhysical } from '../../src/evidence/record-stream.ts';
import { decodeRecords, guestTexts } from '../../src/evidence/records.ts';
import { readRam } from '../emulator/guest-memory.ts';
import type { RamFile } from '../emulator/ram-file.ts';

/** Long enough for all the index pages that init can have (guest/init/channel.c). */
export const directoryBytes = 4096;

/**
 * Collects what init has committed to its memory so far, whatever has happened to the guest since.
 * @param directory physical address of the directory page; 0 if init did not get as far as sending
 * it
 */
export function collectRecords(
  ram: RamFile,
  directory: number,
): Pick<Evidence, 'files' | 'board' | 'probes' | 'guestProblems'> | undefined {
  const read: ReadPhysical = (pa, bytes) => readRam(ram, pa, bytes);
  const page = directory === 0 ? undefined : read(directory, directoryBytes);
  if (page === undefined) {
    return undefined;
  }
  return decodeReport(page, read);
}

/** The records of a directory page in the form of evidence. */
export function decodeReport(
  page: Uint8Array,
  read: ReadPhysical,
): Required<Pick<Evidence, 'files' | 'probes' | 'guestProblems'>> & Pick<Evidence, 'board'> {
  const report = decodeRecords(page, read);
  const problems = report.problems.map(({ where, what }) => `${where}: ${what}`);
  const board = report.files.get('board.tar.gz');
  return {
    files: guestTexts(report),
    ...(board?.errno === 0 && !board.cut && { board: board.bytes }),
    probes: report.probes,
    guestProblems: [...problems, ...report.damage],
  };
}
