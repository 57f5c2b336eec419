// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import type { Capture, CheckpointName, Evidence, Recording } from '../../src/evidence/capture.ts';
import { FollowedRecording } from '../../src/evidence/follow-recording.ts';
import { unknownTable } from '../../src/evidence/recorded-places.ts';
import { differsFromRam } from '../../src/evidence/recorded-ram.ts';
import type { RequestCollector } from '../../src/evidence/recorded-requests.ts';
import type { RecordedTable, RecordingReader } from '../../src/evidence/recording-reader.ts';
import type { RecorderList } from '../../src/linux/recorded-functions.ts';
import { RAM_BASE } from '../../src/scenario/memory.ts';
import { rootAddress } from '../../src/vmsa/regime.ts';
import type { RamFile } from '../emulator/ram-file.ts';
import { type RecordingFile, recordingRoom } from '../emulator/recorder/recording-file.ts';
import type { RunningKernel } from './capture-checkpoint.ts';

/** What a recorder that finds itself wrong says, by its numbers in recorder.h. */
const oddities = [
  'lost count of the functions that a task is in',
  'missed a switch from one task to another',
  'missed a TLB invalidation',
] as const;

/** What a recording adds to the evidence. */
type Recorded = Pick<Evidence, 'recording' | 'recordingFault' | 'unseen'>;

/**
 * Reads a recording while it is made, and proves it: whenever the machine is stopped, the tables as
 * the events leave them are those in RAM. A recording that is not what happened is kept, with what
 * is wrong with it: whoever looks for the fault needs it.
 */
export class RecordingWitness {
  readonly #file: RecordingFile;
  readonly #ram: RamFile;
  readonly #list: RecorderList;
  readonly #followed: FollowedRecording;
  /** Has collected what the events that were read ask for, where they tell all. */
  readonly requests: RequestCollector | undefined;
  readonly #moments: Recording['moments'] = [];
  /** A sentence; from then on nothing is proved. */
  #fault: string | undefined;
  #isFull = false;

  constructor(file: RecordingFile, list: RecorderList, ram: RamFile, requests?: RequestCollector) {
    this.#file = file;
    this.#list = list;
    this.#ram = ram;
    this.requests = requests;
    const { functions } = list;
    this.#followed = new FollowedRecording(
      { functions, ramBase: RAM_BASE },
      requests ? [requests] : [],
    );
  }

  get #reader(): RecordingReader {
    return this.#followed.reader;
  }

  /** At a checkpoint. */
  reach({ checkpoint, cpus }: Pick<Capture, 'checkpoint' | 'cpus'>): void {
    this.#attempt(() => {
      this.#follow(checkpoint);
      this.#moments.push({ checkpoint, bytes: this.#file.events.length });
      this.#prove(checkpoint);
      this.#proveRoots(checkpoint, cpus);
    });
  }

  /** All that was recorded; the machine is stopped. */
  end(kernel: RunningKernel, imagePa: number): Recorded {
    this.#attempt(() => {
      this.#follow(undefined);
      this.#prove('the end');
    });
    if (this.#isFull) {
      const why = `they took more than the ${recordingRoom} bytes that a recording may have`;
      return { unseen: [{ what: 'recording', why }] };
    }
    const name = (address: bigint) => nameOf(address, kernel, BigInt(imagePa));
    return {
      recording: {
        sites: this.#reader.sites.map(({ pc }) => name(pc)),
        callers: this.#reader.calls.map(({ caller }) => name(caller)),
        functions: this.#list.functions,
        ramBase: RAM_BASE,
        moments: this.#moments,
        events: this.#file.events,
      },
      ...(this.#fault !== undefined && { recordingFault: this.#fault }),
    };
  }

  /** Notes the first thing that is wrong. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof PtdiffError && error.fault === 'harness')) throw error;
      this.#fault ??= error.message;
    }
  }

  /** Goes on collecting, though what is no event is not read. */
  #follow(before: CheckpointName | undefined): void {
    if (this.#isFull) return;
    const events = this.#file.readNew();
    if (events === undefined) {
      this.#isFull = true;
      return;
    }
    if (this.#fault === undefined) this.#followed.read(events, before);
  }

  /** @throws PtdiffError(harness) when the recording is not what happened */
  #prove(moment: string): void {
    if (this.#fault !== undefined || this.#isFull) return;
    const odd = oddities[this.#reader.odd - 1];
    if (odd !== undefined)
      throw new PtdiffError('harness', `The recorder ${odd}; run the case with --no-record.`);
    const lost = unknownTable(this.#reader.tables.values());
    if (lost && this.#ram.contains(lost.pa, 8)) {
      const table = `the table at 0x${lost.pa.toString(16)}`;
      throw missed(moment, `${entryText(lost)}, which leads to ${table}`);
    }
    this.#ram.begin?.();
    for (const table of this.#reader.tables.values()) {
      const words = this.#ram.table(table.pa, table.words.byteLength);
      const index = words && differsFromRam(table, words);
      if (index !== undefined) throw missed(moment, entryText({ table, index }));
    }
  }

  /** @throws PtdiffError(harness) when a CPU has a root that the recording does not have */
  #proveRoots(moment: string, cpus: Capture['cpus']): void {
    if (this.#fault !== undefined || this.#isFull) return;
    const tables = [...this.#reader.tables.values()];
    for (const { online, registers } of cpus) {
      for (const name of ['TTBR0_EL1', 'TTBR1_EL1'] as const) {
        const pa = rootAddress(registers[name]);
        const isKnown = tables.some(
          (each) => pa >= each.pa && pa < each.pa + each.words.byteLength,
        );
        if (!online || isKnown || !this.#ram.contains(pa, 8)) continue;
        throw missed(moment, `the root at 0x${pa.toString(16)} in ${name}`);
      }
    }
  }
}

function entryText({ table, index }: { table: RecordedTable; index: number }): string {
  return `entry ${index} of the level ${table.level} table at 0x${table.pa.toString(16)}`;
}

function missed(moment: string, what: string): PtdiffError {
  return new PtdiffError(
    'harness',
    `The recorder missed a store before ${moment}: ${what}; run the case with --no-record.`,
  );
}

/** Of an address in the kernel, where it runs or, while the MMU is off, where it was loaded. */
function nameOf(address: bigint, { symbols, slide }: RunningKernel, imagePa: bigint): string {
  const upper = (address >> 63n) & 1n;
  const link = upper ? address - slide : address - imagePa + symbols.textBase;
  const symbol = symbols.isBetween(link, '_text', '_end') ? symbols.nameAt(link) : undefined;
  return symbol === undefined
    ? `0x${address.toString(16)}`
    : `${symbol.name}+0x${symbol.offset.toString(16)}`;
}
