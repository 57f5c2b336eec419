// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { CheckpointName, Recording } from './capture.ts';
import { readByMoments } from './read-by-moments.ts';
import { type OpenCall, RecordedOperations } from './recorded-operations.ts';
import { type RecordedTable, RecordingReader, type RecordingVisitor } from './recording-reader.ts';

/** One call of a recorded function, from its entry to its return. */
export interface RecordedOperation<Note = unknown> extends OpenCall {
  name: string;
  /** The CPU that entered it. */
  cpu: number;
  /** Microseconds since the machine was started. */
  entered: number;
  /** Absent until it returns. */
  returned?: number;
  /** X0 at its return, where it returns something. */
  result?: bigint;
  /** Stores that changed a table between, but those of recorded functions that it called. */
  stores: number;
  /** What called it; absent for what an exception's handler or no recorded function called. */
  parent: RecordedOperation<Note> | undefined;
  /** What a follower keeps of it. */
  note?: Note;
  /** The next checkpoint after its entry; undefined after the last one. */
  before: CheckpointName | undefined;
}

/** What a reader of the operations of a recording is told. */
export interface OperationFollower<Note = unknown> {
  entered?(operation: RecordedOperation<Note>): void;
  left?(operation: RecordedOperation<Note>): void;
  /** A checkpoint, after all that came before it. */
  reached?(checkpoint: CheckpointName): void;
  /** Before the table changes; the descriptor's lower word first. */
  store?(
    operation: RecordedOperation<Note> | undefined,
    table: RecordedTable,
    index: number,
    low: number,
    high: number,
  ): void;
  /** A table that an entry leads to from now on, with its content; right after that store. */
  linked?(operation: RecordedOperation<Note> | undefined, table: RecordedTable): void;
  unlinked?(table: RecordedTable): void;
  tlbi?(operation: RecordedOperation<Note> | undefined, insn: number, operand: bigint): void;
}

/** Where a reader of events is. */
interface Position {
  reader: Pick<RecordingReader, 'cpu' | 'time' | 'site' | 'sites'>;
  /** The next checkpoint; undefined after the last one. */
  before: CheckpointName | undefined;
}

/**
 * What RecordingReader is to be given, to follow operations with it.
 * @param position is asked with each event
 */
export function visitOperations<Note>(
  functions: Recording['functions'],
  follower: OperationFollower<Note>,
  position: () => Position,
): RecordingVisitor {
  const open = new RecordedOperations<RecordedOperation<Note>>();
  return {
    enter: (call, args) => {
      const { reader, before } = position();
      const { cpu, time } = reader;
      const name = present(functions[call.listed], 'recorded function').name;
      const parent = open.innermost(cpu);
      const operation = { call, args, name, cpu, entered: time, stores: 0, parent, before };
      open.enter(cpu, operation);
      follower.entered?.(operation);
    },
    leave: (_, result) => {
      const { reader } = position();
      const operation = open.leave(reader.cpu);
      if (operation === undefined) return;
      operation.returned = reader.time;
      if (result !== undefined) operation.result = result;
      follower.left?.(operation);
    },
    switch: (previous, next) => open.switch(position().reader.cpu, previous, next),
    mark: () => open.mark(position().reader.cpu),
    unmark: () => open.unmark(position().reader.cpu),
    table: (table) => follower.linked?.(open.innermost(position().reader.cpu), table),
    unlink: (table) => follower.unlinked?.(table),
    tlbi: (operand) => {
      const { cpu, sites, site } = position().reader;
      follower.tlbi?.(open.innermost(cpu), sites[site]?.insn ?? 0, operand);
    },
    store: (table, index, low, high) => {
      const operation = open.innermost(position().reader.cpu);
      if (operation) operation.stores++;
      follower.store?.(operation, table, index, low, high);
    },
  };
}

/**
 * Goes through a recording operation by operation. The reader that it makes holds, whenever the
 * follower is told something, the tables as they are at that moment.
 * @param begin is given that reader before its first event
 * @throws PtdiffError('harness') for a damaged recording
 */
export function followOperations<Note>(
  recording: Recording,
  follower: OperationFollower<Note>,
  begin: (reader: RecordingReader) => void = () => {},
): RecordingReader {
  const { functions, ramBase } = recording;
  const visitor = visitOperations(functions, follower, () => position);
  const reader = new RecordingReader(functions, ramBase, visitor);
  const position: Position = { reader, before: undefined };
  begin(reader);
  readByMoments(recording, reader, (checkpoint) => {
    if (position.before !== undefined) follower.reached?.(position.before);
    position.before = checkpoint;
  });
  return reader;
}
