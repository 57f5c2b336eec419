// SPDX-License-Identifier: GPL-2.0-only
import { geometryOf } from '../linux/geometry.ts';
import type { Descriptor } from '../vmsa/descriptor.ts';
import { encodedGranule } from '../vmsa/regime.ts';
import type { CheckpointName, Recording } from './capture.ts';
import { readByMoments } from './read-by-moments.ts';
import { type OpenCall, RecordedOperations } from './recorded-operations.ts';
import { entrySize, RecordedPlaces } from './recorded-places.ts';
import { type RecordedCall, type RecordedTable, RecordingReader } from './recording-reader.ts';

/** A store that changed a table, with all that is known of it. */
export interface RecordedStore {
  table: RecordedTable;
  index: number;
  /** The descriptor before and after. */
  old: Descriptor;
  new: Descriptor;
  cpu: number;
  /** Microseconds since the machine was started. */
  time: number;
  /** Number of its instruction. */
  site: number;
  /** The recorded functions that it belongs to, the innermost first. */
  chain(): OpenCall[];
  /** The first checkpoint after it; undefined after the last one. */
  before: CheckpointName | undefined;
  /** The first virtual address that the entry translates, and the bytes that it does. */
  reach(): { va: bigint; size: bigint };
}

/** When something else happened, and by whom; of a table, the store that linked or unlinked it. */
export type RecordedMoment = Pick<RecordedStore, 'cpu' | 'time' | 'site' | 'chain' | 'before'>;

export type Now = () => RecordedMoment;

/** What a reader of a whole recording is told. */
export interface RecordingFollower {
  store?(store: RecordedStore): void;
  tlbi?(tlbi: RecordedTlbi): void;
  /** A DSB or ISB. */
  barrier?(insn: number, cpu: number): void;
  /** A write to a register of the translation. */
  register?(name: TranslationRegister, value: bigint, cpu: number): void;
  /** A table that was linked, with its content, and one that was unlinked. */
  table?(table: RecordedTable, now: Now): void;
  unlink?(table: RecordedTable, now: Now): void;
  /** A recorded function was entered, or returns: it is the first of its moment's chain. */
  enter?(call: RecordedCall, now: Now): void;
  leave?(call: RecordedCall, result: bigint | undefined, now: Now): void;
}

/** A TLB invalidation. */
export interface RecordedTlbi {
  cpu: number;
  time: number;
  site: number;
  insn: number;
  operand: bigint;
  chain(): OpenCall[];
  before: CheckpointName | undefined;
}

/** A register whose writes a follower is told. */
export type TranslationRegister = 'TTBR1_EL1' | 'TCR_EL1' | 'MAIR_EL1';

/** Registers by the MSR that writes them, without its Xt (DDI 0487 C6.2, D24.2). */
const registers: ReadonlyMap<number, TranslationRegister> = new Map([
  [0xd5182020, 'TTBR1_EL1'],
  [0xd5182040, 'TCR_EL1'],
  [0xd518a200, 'MAIR_EL1'],
]);

/**
 * Goes through a recording from its beginning.
 * @throws PtdiffError('harness') for a damaged one
 */
export function followRecording(
  recording: Recording,
  follower: RecordingFollower,
): { reader: RecordingReader; operations: RecordedOperations } {
  const operations = new RecordedOperations();
  const places = new RecordedPlaces();
  let before: CheckpointName | undefined;
  // Until a CPU sets TCR_EL1 there is no table.
  let geometry = geometryOf(4096);
  const insnAt = () => reader.sites[reader.site]?.insn ?? 0;
  const now: Now = () => {
    const { cpu, time, site } = reader;
    return { cpu, time, site, before, chain: () => operations.chain(cpu) };
  };
  const reader: RecordingReader = new RecordingReader(recording.functions, recording.ramBase, {
    enter: (call, args) => {
      operations.enter(reader.cpu, { call, args });
      follower.enter?.(call, now);
    },
    leave: (call, result) => {
      follower.leave?.(call, result, now);
      operations.leave(reader.cpu);
    },
    switch: (previous, next) => operations.switch(reader.cpu, previous, next),
    mark: () => operations.mark(reader.cpu),
    unmark: () => operations.unmark(reader.cpu),
    table: (table) => {
      places.linked(table);
      follower.table?.(table, now);
    },
    unlink: (table) => follower.unlink?.(table, now),
    tlbi: (operand) => {
      const { cpu, site, time } = reader;
      const chain = () => operations.chain(cpu);
      follower.tlbi?.({ cpu, time, site, insn: insnAt(), operand, chain, before });
    },
    barrier: () => follower.barrier?.(insnAt(), reader.cpu),
    register: (value) => {
      const name = registers.get((insnAt() & 0xffffffe0) >>> 0);
      if (name === undefined) return;
      if (name === 'TCR_EL1') geometry = geometryOf(encodedGranule(value, 'ttbr1') ?? 4096);
      follower.register?.(name, value, reader.cpu);
    },
    store: (table, index, low, high) => {
      const { cpu, time, site } = reader;
      const old = { low: table.words[2 * index] ?? 0, high: table.words[2 * index + 1] ?? 0 };
      const chain = () => operations.chain(cpu);
      const reach = () => ({
        va: places.addressOf(table, index, geometry),
        size: entrySize(table, geometry),
      });
      const next = { low, high };
      follower.store?.({ table, index, old, new: next, cpu, time, site, chain, before, reach });
      places.stored(table, index, low, high);
    },
  });
  readByMoments(recording, reader, (checkpoint) => {
    before = checkpoint;
  });
  return { reader, operations };
}
