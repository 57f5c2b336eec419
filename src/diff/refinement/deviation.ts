// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedOperation } from '../../evidence/follow-recording.ts';
import type { Operation } from '../../model/operation.ts';
import type { Step } from './mirror-table.ts';
import type { RecordedMap } from './recorded-map.ts';

/** How an operation differs from its prediction: part of a finding's id. */
export type Difference =
  | 'missing'
  | 'extra'
  | 'other-entry'
  | 'attributes'
  | 'address'
  | 'table'
  | 'content'
  | 'tlbi'
  | 'result'
  | 'stops';

/** Where it differs, and what is there instead. */
export interface Deviation {
  difference: Difference;
  operation: RecordedOperation;
  /** The entry, where it is one. */
  at?: { va: bigint; level: number };
  /** A descriptor as the prediction has it, and as it is; absent where there is none. */
  expected?: string;
  found?: string;
  time: number;
}

/** What was predicted of one operation. */
export interface Predicted {
  model: Operation;
  map: RecordedMap;
  steps: readonly Step[];
  physBase: number;
  answer: number | undefined;
}
