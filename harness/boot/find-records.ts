// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../../src/evidence/capture.ts';
import { parseDirectory, type ReadPhysical } from '../../src/evidence/record-stream.ts';
import { readRam } from '../emulator/guest-memory.ts';
import type { RamFile } from '../emulator/ram-file.ts';
import { decodeReport, directoryBytes } from './guest-records.ts';

/** One read of the search, in bytes. */
const window = 2 ** 20;
/** "PDIFFRD1", the first word of a directory page (guest/init/protocol.h). */
const magic = Buffer.from('PDIFFRD1', 'latin1');

/** Addresses of the pages in a range of RAM that begin like a directory page of init's. */
function directoryPages(ram: RamFile, base: number, bytes: number): number[] {
  const found: number[] = [];
  for (let at = base; at < base + bytes; at += window) {
    const piece = readRam(ram, at, Math.min(window, base + bytes - at));
    if (piece === undefined) continue;
    for (let hit = piece.indexOf(magic); hit !== -1; hit = piece.indexOf(magic, hit + 1)) {
      const page = piece.subarray(hit, hit + directoryBytes);
      if (hit % directoryBytes === 0 && typeof parseDirectory(page) !== 'string')
        found.push(at + hit);
    }
  }
  return found;
}

/** Where init said on its console that its directory lies: an address as the guest has it. */
function announced(console: string): number | undefined {
  const text = /^ptdiff: directory 0x([0-9a-f]{1,12})\s*$/m.exec(console)?.[1];
  return text === undefined ? undefined : Number.parseInt(text, 16);
}

/**
 * Takes init's records from RAM without being told where they lie. Below other software the guest's
 * addresses are not the machine's: the distance between where the directory is found and where init
 * says it is holds for the rest of its memory as far as that is in one piece; what is not is caught
 * by the records' own checks.
 */
export function findRecords(
  ram: RamFile,
  base: number,
  bytes: number,
  console: string,
): Pick<Evidence, 'files' | 'probes' | 'guestProblems'> | undefined {
  const told = announced(console);
  for (const place of directoryPages(ram, base, bytes)) {
    const distance = place - (told ?? place);
    const read: ReadPhysical = (pa, length) => readRam(ram, pa + distance, length);
    const page = readRam(ram, place, directoryBytes);
    const report = page && decodeReport(page, read);
    if (report && Object.keys(report.files).length > 0) return report;
  }
  return undefined;
}
