// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointContext } from '../../src/diff/context.ts';
import { type JudgeInput, type Judgement, judge } from '../../src/diff/judge.ts';
import type { KnownIssue } from '../../src/diff/match-known.ts';
import {
  type CheckpointName,
  checkpointsOf,
  type EarlyEnd,
  isBefore,
} from '../../src/evidence/capture.ts';
import type { Prediction } from '../../src/model/types.ts';
import { given } from '../given.ts';
import { decisions } from './sample-decisions.ts';
import {
  KiB,
  linearOf,
  MiB,
  prot,
  registers,
  rewrite,
  soundContext,
  withAttributes,
} from './synthetic.ts';

/** A prediction that says exactly what the context's capture shows. */
function predictionOf(context: CheckpointContext): Prediction {
  const { capture, linear } = context;
  const inRegion = capture.ttbr1.leaves.filter(({ va }) => va < linear.end);
  return {
    generation: 'any',
    newerThanKnown: false,
    derivation: [],
    decisions,
    linearRegion: { start: linear.start, end: linear.end },
    checkpoints: {
      [capture.checkpoint]: {
        leaves: inRegion.map((leaf) => ({ ...leaf, why: 'memory', alternatives: [] })),
        tables: capture.ttbr1.tables.map(({ level, va, attributes }) => ({
          level,
          va,
          attributes,
        })),
        registers: Array(2).fill({
          MAIR_EL1: { bits: registers.MAIR_EL1, mask: 2n ** 64n - 1n, why: 'proc.S' },
        }),
        variables: { rodata_full: 1n },
      },
    },
    probes: [{ probe: 'memfd_secret', errno: 38, why: 'off' }],
    complaints: [],
    rsi: [],
  };
}

/** A case that passes; `change` breaks it after the prediction was made. */
export function caseOf(
  change: (context: CheckpointContext) => void = () => {},
  knownIssues: KnownIssue[] = [],
): JudgeInput {
  const context = soundContext();
  const prediction = predictionOf(context);
  context.evidence.probes.push({
    probe: 'memfd_secret',
    errno: 38,
    call: 'memfd_secret',
    pages: [],
  });
  change(context);
  return {
    prediction,
    boot: context,
    release: '7.3.4',
    scenario: {
      name: 's',
      machine: { cpu: 'max', cpus: 2, memory: 64, holes: [], world: 'normal' },
      rodata: 'default',
      kaslr: false,
      parameters: [],
      probes: ['memfd_secret'],
    },
    knownIssues,
  };
}

/** Breaks one page of the linear map at init. */
export const readOnlyPage = (context: CheckpointContext) =>
  rewrite(context, linearOf(context, given(context.ram[0]).start + 40 * MiB), 4 * KiB, (leaf) =>
    withAttributes(leaf, prot.readOnly),
  );

/** Owns what readOnlyPage() breaks. */
export const issue: KnownIssue = {
  id: 'read-only-page',
  title: '',
  kernels: ['7.3..7.3'],
  match: ['mismatch/linear-map/memory/read-only@init'],
  when: {},
  cause: '',
  references: [],
  explanation: '',
};

/** How a boot went that a test needs the result of. */
export interface Course {
  /** How it ended, where it did not complete; `error`: what its guest sent is not whole. */
  end?: EarlyEnd | 'error';
  /**
   * The last checkpoint that a boot which did not complete came to; absent where it came to none.
   */
  after?: CheckpointName;
  /** Known issues of the day. */
  knownIssues?: KnownIssue[];
}

/**
 * A case with all checkpoints of a boot without a repaint, each sound; `change` breaks the capture
 * at init.
 */
function wholeCase(
  change: (context: CheckpointContext) => void,
  knownIssues: KnownIssue[],
): JudgeInput {
  const input = caseOf(change, knownIssues);
  const { captures } = input.boot.evidence;
  const init = given(captures[0]);
  const sound = soundContext({ checkpoint: 'free_initmem' }).capture;
  captures.splice(
    0,
    1,
    ...checkpointsOf(false).map((name) =>
      name === 'init' ? init : { ...sound, checkpoint: name },
    ),
  );
  const { checkpoints } = input.prediction;
  for (const name of checkpointsOf(false)) checkpoints[name] ??= checkpoints.init;
  return input;
}

/** What judge() makes of a boot that went so. */
export function judged(
  { end, after, knownIssues = [] }: Course,
  change: (context: CheckpointContext) => void = () => {},
): Judgement {
  const input = wholeCase(change, knownIssues);
  const { evidence } = input.boot;
  if (end === 'error') evidence.probes = [];
  if (end === undefined || end === 'error') return judge(input);
  evidence.probes = [];
  evidence.captures = evidence.captures.filter(
    ({ checkpoint }) => after && !isBefore(after, checkpoint),
  );
  evidence.end = { kind: end, reason: 'It ended.', ...(after && { lastCheckpoint: after }) };
  return judge(input);
}
