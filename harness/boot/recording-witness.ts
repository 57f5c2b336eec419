// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import type { Capture, Recording } from '../../src/evidence/capture.ts';
import { unknownTable } from '../../src/evidence/recorded-places.ts';
import { differsFromRam } from '../../src/evidence/recorded-ram.ts';
import { type RecordedTable, RecordingReader } from '../../src/evidence/recording-reader.ts';
import type { RecorderList } from '../../src/linux/recorded-functions.ts';
import { RAM_BASE } from '../../src/scenario/memory.ts';
import type { RamFile } from '../emulator/ram-file.ts';
import type { RecordingFile } from '../emulator/recorder/recording-file.ts';
import type { RunningKernel } from './capture-checkpoint.ts';

/**
 * Reads a recording while it is made, and proves it: whenever the machine is stopped, the tables as
 * the events leave them are those in RAM.
 */
export class RecordingWitness {
  readonly #file: RecordingFile;
  readonly #ram: RamFile;
  readonly #list: RecorderList;
  readonly #reader: RecordingReader;
  readonly #parts: Buffer[] = [];
  readonly #moments: Recording['moments'] = [];

  constructor(file: RecordingFile, list: RecorderList, ram: RamFile) {
    this.#file = file;
    this.#list = list;
    this.#ram = ram;
    this.#reader = new RecordingReader(list.functions, RAM_BASE);
  }

  /**
   * At a checkpoint.
   * @throws PtdiffError(harness) when the recording is not what happened
   */
  reach({ checkpoint, cpus }: Pick<Capture, 'checkpoint' | 'cpus'>): void {
    this.#follow();
    this.#moments.push({ checkpoint, bytes: this.#length() });
    this.#prove(checkpoint);
    const tables = [...this.#reader.tables.values()];
    for (const { online, registers } of cpus) {
      for (const name of ['TTBR0_EL1', 'TTBR1_EL1'] as const) {
        const pa = rootOf(registers[name]);
        const isKnown = tables.some(
          (each) => pa >= each.pa && pa < each.pa + each.words.byteLength,
        );
        if (!online || isKnown || !this.#ram.contains(pa, 8)) continue;
        const root = `the root at 0x${pa.toString(16)} in ${name}`;
        throw missed(checkpoint, root);
      }
    }
  }

  /** All that was recorded; the machine is stopped. */
  end(kernel: RunningKernel, imagePa: number): Recording {
    this.#follow();
    this.#prove('the end');
    const name = (address: bigint) => nameOf(address, kernel, BigInt(imagePa));
    return {
      sites: this.#reader.sites.map(({ pc }) => name(pc)),
      callers: this.#reader.calls.map(({ caller }) => name(caller)),
      functions: this.#list.functions,
      ramBase: RAM_BASE,
      moments: this.#moments,
      events: Buffer.concat(this.#parts),
    };
  }

  #follow(): void {
    const events = this.#file.readNew();
    this.#parts.push(events);
    this.#reader.read(events);
  }

  #length(): number {
    return this.#parts.reduce((sum, { length }) => sum + length, 0);
  }

  #prove(moment: string): void {
    if (this.#reader.counts.odd)
      throw new PtdiffError('harness', 'The recorder lost track of which function a task is in.');
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
}

/** Physical address of a TTBRn_EL1, without ASID and CnP; RAM is below 2^48 (DDI 0487 D24.2). */
function rootOf(register: bigint): number {
  return Number(register & 0xffff_ffff_ffc0n);
}

function entryText({ table, index }: { table: RecordedTable; index: number }): string {
  return `entry ${index} of the level ${table.level} table at 0x${table.pa.toString(16)}`;
}

function missed(moment: string, what: string): PtdiffError {
  return new PtdiffError(
    'harness',
    `The recorder missed a store before ${moment}: ${what}; run the case without --record.`,
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
