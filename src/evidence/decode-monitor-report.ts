// SPDX-License-Identifier: GPL-2.0-only
import { type PhysicalRange, sizedRange, sizeOf } from '../linux/physical-range.ts';
import {
  abortKinds,
  type MonitorAbort,
  type MonitorCall,
  type MonitorReport,
  type MonitorView,
  type RipasRun,
  ripasNames,
  rsiFunctions,
} from './monitor-report.ts';

/** Reads guest-physical memory. */
export type ReadMemory = (address: number, bytes: number) => Uint8Array;

/** Offsets in the report: guest/monitor/report.h. */
const magic = 0x31524e4f4d445450n;
const version = 1;
const layout = { report: 0x100000, aborts: 0x140000, calls: 0x180000, reportBytes: 0x2a0 };
const abortBytes = 64;
const callBytes = 128;
const abortRecords = 4096;
const callRecords = 16384;
const granule = 4096;
const firstRsiFunction = 0xc4000190n;

/**
 * Reads the report of a stopped machine.
 * @param memoryBase base of the monitor's RAM, from its parameters
 * @returns undefined when the monitor has not begun a report
 */
export function decodeReport(read: ReadMemory, memoryBase: number): MonitorReport | undefined {
  const view = decodeView(read, memoryBase, abortRecords);
  return (
    view && {
      ...view,
      calls: decodeCalls(read, memoryBase, { first: 0, total: view.totalCalls }).calls,
    }
  );
}

/**
 * The calls of a stopped machine from number `first` on (0 is the very first) to the last one,
 * number `total - 1`.
 * @returns the calls in order, and how many of them newer calls have overwritten in the ring
 */
export function decodeCalls(
  read: ReadMemory,
  memoryBase: number,
  { first, total }: { first: number; total: number },
): { calls: MonitorCall[]; lost: number } {
  const records = ring(
    read,
    memoryBase + layout.calls,
    total,
    callRecords,
    callBytes,
    total - first,
  );
  const [oldest] = records;
  // A CPU may have been stopped while it was overwriting the oldest record; its sequence number
  // shows that (record_call() of guest/monitor/record.c).
  if (oldest !== undefined && oldest.number(0) !== total - records.length + 1) records.shift();
  return { calls: records.map(decodeCall), lost: total - first - records.length };
}

/**
 * Whether the monitor runs, read from a machine that may be running; undefined when the monitor has
 * not begun its report.
 */
export function decodeState(
  read: ReadMemory,
  memoryBase: number,
): Pick<MonitorView, 'state' | 'lastWords'> | undefined {
  const header = new Fields(read(memoryBase + layout.report, layout.reportBytes));
  return header.u64(0) === magic && header.u32(8) === version
    ? { state: header.u32(0xc) === 2 ? 'panic' : 'running', lastWords: header.text(0x1a0, 0x100) }
    : undefined;
}

/**
 * Reads the report of a stopped machine without its calls.
 * @param maximumAborts how many of the newest aborts to read
 */
export function decodeView(
  read: ReadMemory,
  memoryBase: number,
  maximumAborts: number,
): MonitorView | undefined {
  const state = decodeState(read, memoryBase);
  if (state === undefined) {
    return undefined;
  }
  const header = new Fields(read(memoryBase + layout.report, layout.reportBytes));
  const regions = Array.from({ length: Math.min(header.u32(0x1c), 8) }, (_, index) => {
    return sizedRange(header.number(0x20 + 16 * index), header.number(0x28 + 16 * index));
  });
  const [totalAborts, totalCalls] = [header.number(0x190), header.number(0x198)];
  return {
    ...state,
    world: header.u32(0x10) === 1 ? 'realm' : 'normal',
    ipaBits: header.u32(0x14),
    cpusEntered: [0, 1, 2, 3, 4, 5, 6, 7].filter((cpu) => (header.u32(0x18) >> cpu) & 1),
    regions,
    stage2: { root: header.number(0xb0), control: header.u64(0xb8) },
    rsi: Object.fromEntries(
      rsiFunctions.map((name, index) => {
        return [
          name,
          { calls: header.number(0xc0 + 8 * index), refused: header.number(0x110 + 8 * index) },
        ];
      }),
    ) as MonitorView['rsi'],
    psciCalls: header.number(0x160),
    unknownCalls: header.number(0x168),
    idReads: header.number(0x170),
    undefinedInstructions: header.number(0x178),
    granulesShared: header.number(0x180),
    granulesMadePrivate: header.number(0x188),
    aborts: ring(
      read,
      memoryBase + layout.aborts,
      totalAborts,
      abortRecords,
      abortBytes,
      maximumAborts,
    ).map(decodeAbort),
    totalAborts,
    totalCalls,
    ripas: ripasRuns(read, header.number(0xa0), regions),
  };
}

/** The newest records that a ring still has, at most `maximum`, oldest first. */
function ring(
  read: ReadMemory,
  base: number,
  total: number,
  capacity: number,
  bytes: number,
  maximum = capacity,
): Fields[] {
  const kept = Math.min(total, capacity, maximum);
  return Array.from({ length: kept }, (_, index) => {
    return new Fields(read(base + ((total - kept + index) % capacity) * bytes, bytes));
  });
}

function decodeAbort(record: Fields): MonitorAbort {
  return {
    time: record.u64(0x08),
    kind: abortKinds[record.u8(0x36)] ?? 'unknown',
    ipa: record.number(0x10),
    far: record.u64(0x18),
    elr: record.u64(0x20),
    spsr: record.u64(0x28),
    esr: record.u32(0x30),
    link: record.u64(0x38),
    cpu: record.u16(0x34),
    ripas: ripasNames[record.u8(0x37)] ?? 'EMPTY',
  };
}

function decodeCall(record: Fields): MonitorCall {
  const called = record.u64(0x10);
  return {
    time: record.u64(0x08),
    function: called,
    rsi: rsiFunctions[Number(called - firstRsiFunction)],
    arguments: [record.u64(0x18), record.u64(0x20), record.u64(0x28), record.u64(0x30)],
    results: [record.u64(0x38), record.u64(0x40), record.u64(0x48)],
    elr: record.u64(0x50),
    link: record.u64(0x58),
    framePointer: record.u64(0x60),
    cpu: record.u32(0x68),
  };
}

/** The table has one byte for each granule; regions follow each other. */
function ripasRuns(read: ReadMemory, table: number, regions: PhysicalRange[]): RipasRun[] {
  const runs: RipasRun[] = [];
  let at = table;
  for (const region of regions) {
    const states = read(at, sizeOf(region) / granule);
    for (let first = 0; first < states.length; ) {
      let end = first + 1;
      while (end < states.length && states[end] === states[first]) end++;
      const ripas = ripasNames[states[first] as number] ?? 'EMPTY';
      const start = region.start + first * granule;
      runs.push({ ...sizedRange(start, (end - first) * granule), ripas });
      first = end;
    }
    at += states.length;
  }
  return runs;
}

/** Little-endian fields of a record. */
class Fields {
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, true);
  }

  number(at: number): number {
    return Number(this.u64(at));
  }

  text(at: number, bytes: number): string {
    const field = new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, bytes);
    const end = field.indexOf(0);
    return new TextDecoder('latin1').decode(end < 0 ? field : field.subarray(0, end));
  }
}
