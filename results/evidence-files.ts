// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { onHost } from '../host/host-file.ts';
import { makeFolder } from '../host/make-folder.ts';
import { bigintReplacer, bigintReviver } from '../src/bigint-json.ts';
import type { Capture, Evidence } from '../src/evidence/capture.ts';
import { formatWalk, parseWalk, walkLegend } from '../src/evidence/leaf-text.ts';
import type { MonitorView } from '../src/evidence/monitor-report.ts';
import type { MemblockRegion } from '../src/linux/memblock.ts';
import type { PhysicalRange } from '../src/linux/physical-range.ts';
import { present } from '../src/present.ts';
import { writeRecording } from './recording-file.ts';
import { loadRange, type StoredRange, storeRange } from './stored-range.ts';

/**
 * registers.json: what the harness read. It contains no text from the guest, so every '0x…' is a
 * number.
 */
interface Measured
  extends Pick<
    Evidence,
    | 'splitRequests'
    | 'protectRequests'
    | 'freeAtKpti'
    | 'readOnlyVmalloc'
    | 'sharing'
    | 'rsi'
    | 'monitor'
    | 'image'
    | 'idRegisters'
    | 'hostWaitSeconds'
    | 'unseen'
    | 'secretPages'
    | 'addedMemory'
    | 'unsettled'
  > {
  captures: Omit<Capture, 'ttbr1' | 'ttbr0'>[];
}

/** The type with its ranges in the form that the file uses. */
type Stored<T> = T extends PhysicalRange ? StoredRange & Omit<T, keyof PhysicalRange> : T;
interface StoredMonitor extends Omit<MonitorView, 'regions' | 'ripas'> {
  regions: StoredRange[];
  ripas: Stored<MonitorView['ripas'][number]>[];
}
interface StoredCapture extends Omit<Measured['captures'][number], 'memblock' | 'monitor'> {
  memblock?: Stored<MemblockRegion>[];
  monitor?: StoredMonitor;
}
interface StoredMeasured extends Omit<Measured, 'captures' | 'monitor'> {
  captures: StoredCapture[];
  monitor?: StoredMonitor;
}

function storeMonitor({ regions, ripas, ...rest }: MonitorView): StoredMonitor {
  return { ...rest, regions: regions.map(storeRange), ripas: ripas.map(storeRange) };
}

function loadMonitor({ regions, ripas, ...rest }: StoredMonitor): MonitorView {
  return { ...rest, regions: regions.map(loadRange), ripas: ripas.map(loadRange) };
}

/** guest.json: what the guest sent; maps file names as the guest gave them to names in files/. */
interface Said extends Pick<Evidence, 'probes' | 'guestProblems' | 'end'> {
  files: Record<string, string>;
}

/**
 * Stores evidence in the folder of a case: registers.json, leaves-CHECKPOINT.TTBR.txt, guest.json,
 * files/, console.log.
 */
export function writeEvidence(directory: string, evidence: Evidence): void {
  const write = (name: string, content: string) => writeText(join(directory, name), content);
  const {
    splitRequests,
    protectRequests,
    freeAtKpti,
    readOnlyVmalloc,
    sharing,
    rsi,
    monitor,
    image,
    idRegisters,
    hostWaitSeconds,
    unseen,
    secretPages,
    addedMemory,
    unsettled,
    probes,
    guestProblems,
    end,
  } = evidence;
  const captures = evidence.captures.map(({ ttbr1, ttbr0, ...rest }) => {
    const fold = rest.checkpoint === 'live';
    write(leavesFile(rest.checkpoint, 'ttbr1'), walkLegend + formatWalk(ttbr1, { fold }));
    if (ttbr0) {
      write(leavesFile(rest.checkpoint, 'ttbr0'), walkLegend + formatWalk(ttbr0));
    }
    const { memblock, monitor: seen, ...plain } = rest;
    return {
      ...plain,
      ...(memblock && { memblock: memblock.map(storeRange) }),
      ...(seen && { monitor: storeMonitor(seen) }),
    };
  });
  const measured: StoredMeasured = {
    captures,
    splitRequests,
    ...(protectRequests && { protectRequests }),
    ...(freeAtKpti && { freeAtKpti }),
    ...(readOnlyVmalloc && { readOnlyVmalloc }),
    ...(sharing && { sharing }),
    ...(rsi && { rsi }),
    ...(monitor && { monitor: storeMonitor(monitor) }),
    image,
    idRegisters,
    ...(hostWaitSeconds !== undefined && { hostWaitSeconds }),
    ...(unseen && { unseen }),
    ...(secretPages && { secretPages }),
    ...(addedMemory && { addedMemory }),
    ...(unsettled && { unsettled }),
  };
  write('registers.json', `${JSON.stringify(measured, bigintReplacer, 1)}\n`);
  const files = fileNames(Object.keys(evidence.files));
  for (const [name, file] of Object.entries(files)) {
    write(file, present(evidence.files[name], `text of ${name}`));
  }
  const said: Said = { probes, guestProblems, end, files };
  if (evidence.recording) writeRecording(directory, evidence.recording);
  write('guest.json', `${JSON.stringify(said, undefined, 1)}\n`);
  write('console.log', evidence.console);
}

/** Loads what writeEvidence() stored. */
export function readEvidence(directory: string): Evidence {
  const read = (name: string) =>
    onHost(join(directory, name), () => readFileSync(join(directory, name), 'utf8'));
  const { monitor, ...measured } = JSON.parse(
    read('registers.json'),
    bigintReviver,
  ) as StoredMeasured;
  const { files, ...said } = JSON.parse(read('guest.json')) as Said;
  const captures = measured.captures.map(({ memblock, monitor, ...capture }): Capture => {
    const walk = (half: 'ttbr1' | 'ttbr0') => parseWalk(read(leavesFile(capture.checkpoint, half)));
    return {
      ...capture,
      ...(memblock && { memblock: memblock.map(loadRange) }),
      ...(monitor && { monitor: loadMonitor(monitor) }),
      ttbr1: walk('ttbr1'),
      ...(capture.checkpoint === 'init' && { ttbr0: walk('ttbr0') }),
    };
  });
  return {
    ...measured,
    ...said,
    ...(monitor && { monitor: loadMonitor(monitor) }),
    captures,
    files: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, read(file)])),
    console: read('console.log'),
  };
}

function leavesFile(checkpoint: string, half: string): string {
  return `leaves-${checkpoint}.${half}.txt`;
}

/**
 * For names that a guest gave, names that are safe on any file system, e.g. '/proc/iomem' →
 * 'files/proc_iomem'.
 */
function fileNames(names: string[]): Record<string, string> {
  const taken = new Set<string>();
  const choose = (name: string) => {
    const plain = name
      .replaceAll(/[^A-Za-z0-9]+/g, '_')
      .replaceAll(/^_|_$/g, '')
      .slice(0, 100);
    let file = plain;
    for (let number = 2; taken.has(file.toLowerCase()) || file === ''; number++) {
      file = `${plain}-${number}`;
    }
    taken.add(file.toLowerCase());
    return `files/${file}`;
  };
  return Object.fromEntries(names.map((name) => [name, choose(name)]));
}

function writeText(path: string, content: string): void {
  onHost(path, () => {
    makeFolder(dirname(path));
    writeFileSync(path, content);
  });
}
