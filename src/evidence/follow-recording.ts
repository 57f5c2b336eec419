// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../present.ts';
import type { CheckpointName, Recording } from './capture.ts';
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
  /** What a follower keeps of it; of those that follow together, one may. */
  note?: Note;
  /** The next checkpoint after its entry; undefined after the last one. */
  before: CheckpointName | undefined;
}

/** An operation and those that called it, the innermost first; none of undefined. */
export function chainOf(innermost: RecordedOperation | undefined): RecordedOperation[] {
  const chain: RecordedOperation[] = [];
  for (let each = innermost; each; each = each.parent) chain.push(each);
  return chain;
}

/** When something happens, and by whom; of a table, the store that links or unlinks it. */
export interface RecordedMoment<Note = unknown> {
  readonly cpu: number;
  /** Microseconds since the machine was started. */
  readonly time: number;
  /** Number of the instruction, and the instruction itself. */
  readonly site: number;
  readonly insn: number;
  /** The innermost recorded function that it belongs to. */
  readonly operation: RecordedOperation<Note> | undefined;
  /** The first checkpoint after it; undefined after the last one. */
  readonly before: CheckpointName | undefined;
}

/**
 * What is told of the events of a recording. The moment is that of the event, as long as the
 * follower is being told; it is the same object all the time.
 */
export interface RecordingFollower<Note = unknown> {
  /** Before the table changes; the descriptor's lower word first. */
  store?(
    table: RecordedTable,
    index: number,
    low: number,
    high: number,
    now: RecordedMoment<Note>,
  ): void;
  tlbi?(operand: bigint, now: RecordedMoment<Note>): void;
  /** A DSB or ISB. */
  barrier?(now: RecordedMoment<Note>): void;
  /** A write to a register of the translation. */
  register?(value: bigint, now: RecordedMoment<Note>): void;
  /** A table that an entry leads to from now on, with its content; right after that store. */
  linked?(table: RecordedTable, now: RecordedMoment<Note>): void;
  unlinked?(table: RecordedTable, now: RecordedMoment<Note>): void;
  /** It is the innermost one from now on, and until it has left. */
  entered?(operation: RecordedOperation<Note>, now: RecordedMoment<Note>): void;
  left?(operation: RecordedOperation<Note>, now: RecordedMoment<Note>): void;
  /** A checkpoint, after all that came before it. */
  reached?(checkpoint: CheckpointName): void;
}

/** Those that are told of one kind of event. */
const toldOf = <Kind extends keyof RecordingFollower>(
  followers: readonly RecordingFollower[],
  kind: Kind,
): Required<Pick<RecordingFollower, Kind>>[] =>
  followers.filter((each): each is Required<Pick<RecordingFollower, Kind>> => kind in each);

/**
 * Reads the events of a recording once for all that follow it: their tables, the functions that each
 * task is in, and the time.
 */
export class FollowedRecording implements RecordedMoment {
  readonly reader: RecordingReader;
  readonly operations = new RecordedOperations<RecordedOperation>();
  readonly #functions: Recording['functions'];
  readonly #followers: readonly RecordingFollower[];
  #before: CheckpointName | undefined;

  /** @param followers are told in this order */
  constructor(
    { functions, ramBase }: Pick<Recording, 'functions' | 'ramBase'>,
    followers: readonly RecordingFollower[],
  ) {
    this.#functions = functions;
    this.#followers = followers;
    this.reader = new RecordingReader(functions, ramBase, {
      ...this.#operationVisitor(),
      ...this.#tableVisitor(),
      ...this.#instructionVisitor(),
    });
  }

  /**
   * Goes on.
   * @param before the checkpoint that comes after these events; undefined after the last one
   * @throws PtdiffError('harness') for bytes that are no events
   */
  read(events: Uint8Array, before: CheckpointName | undefined): void {
    this.#before = before;
    this.reader.read(events);
    if (before === undefined) return;
    for (const each of this.#followers) each.reached?.(before);
  }

  get cpu(): number {
    return this.reader.cpu;
  }

  get time(): number {
    return this.reader.time;
  }

  get site(): number {
    return this.reader.site;
  }

  get insn(): number {
    const { sites, site } = this.reader;
    return sites[site]?.insn ?? 0;
  }

  get before(): CheckpointName | undefined {
    return this.#before;
  }

  get operation(): RecordedOperation | undefined {
    return this.operations.innermost(this.reader.cpu);
  }

  #operationVisitor(): RecordingVisitor {
    const { operations } = this;
    const entered = toldOf(this.#followers, 'entered');
    const left = toldOf(this.#followers, 'left');
    return {
      enter: (call, args) => {
        const { cpu, time } = this.reader;
        const name = present(this.#functions[call.listed], 'recorded function').name;
        const parent = operations.innermost(cpu);
        const before = this.#before;
        const operation = { call, args, name, cpu, entered: time, stores: 0, parent, before };
        operations.enter(cpu, operation);
        for (const each of entered) each.entered(operation, this);
      },
      leave: (_, result) => {
        const { cpu, time } = this.reader;
        const operation = operations.innermost(cpu);
        if (operation !== undefined) {
          operation.returned = time;
          if (result !== undefined) operation.result = result;
          for (const each of left) each.left(operation, this);
        }
        operations.leave(cpu);
      },
      switch: (previous, next) => operations.switch(this.reader.cpu, previous, next),
      mark: () => operations.mark(this.reader.cpu),
      unmark: () => operations.unmark(this.reader.cpu),
    };
  }

  #tableVisitor(): RecordingVisitor {
    const stored = toldOf(this.#followers, 'store');
    const linked = toldOf(this.#followers, 'linked');
    const unlinked = toldOf(this.#followers, 'unlinked');
    return {
      store: (table, index, low, high) => {
        const { operation } = this;
        if (operation) operation.stores++;
        for (const each of stored) each.store(table, index, low, high, this);
      },
      table: (table) => {
        for (const each of linked) each.linked(table, this);
      },
      unlink: (table) => {
        for (const each of unlinked) each.unlinked(table, this);
      },
    };
  }

  #instructionVisitor(): RecordingVisitor {
    const invalidated = toldOf(this.#followers, 'tlbi');
    const ordered = toldOf(this.#followers, 'barrier');
    const registered = toldOf(this.#followers, 'register');
    return {
      // The reader makes no value that nobody asks for.
      ...(invalidated.length > 0 && {
        tlbi: (operand) => {
          for (const each of invalidated) each.tlbi(operand, this);
        },
      }),
      barrier: () => {
        for (const each of ordered) each.barrier(this);
      },
      register: (value) => {
        for (const each of registered) each.register(value, this);
      },
    };
  }
}

/**
 * Goes through a whole recording, once for all that follow it. What has read it holds, whenever a
 * follower is told something, the tables as they are at that moment.
 * @throws PtdiffError('harness') for a damaged one
 */
export function followRecording<Note>(
  recording: Recording,
  ...followers: readonly RecordingFollower<Note>[]
): FollowedRecording {
  const followed = new FollowedRecording(recording, followers as readonly RecordingFollower[]);
  const { moments, events } = recording;
  let at = 0;
  for (const { checkpoint, bytes } of moments) {
    followed.read(events.subarray(at, bytes), checkpoint);
    at = bytes;
  }
  followed.read(events.subarray(at), undefined);
  return followed;
}
