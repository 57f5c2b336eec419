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

/** Addresses of the pages in a range of RAM that begin like a directory page of init. */
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

/** The address that init printed for its directory: a guest address. */
function announced(console: string): number | undefined {
  const text = /^ptdiff: directory 0x([0-9a-f]{1,12})\s*$/m.exec(console)?.[1];
  return text === undefined ? undefined : Number.parseInt(text, 16);
}

/**
 * Reads init's records from RAM without knowing their address. Below other software, guest
 * addresses are not machine addresses. The difference between the directory's real address and the
 * address that init printed applies to the rest of init's memory if that is contiguous; if it is
 * not, the records' own checksums show it.
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
