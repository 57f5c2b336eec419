// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { readRecording } from '../../../results/recording-file.ts';
import { bigintReviver } from '../../../src/bigint-json.ts';
import type { ImageLayout } from '../../../src/diff/context.ts';
import type { CheckedKernel } from '../../../src/diff/refinement/check.ts';
import type { Recording } from '../../../src/evidence/capture.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import { RecordedOperations } from '../../../src/evidence/recorded-operations.ts';
import { everyBrokenDbm } from '../../../src/linux/broken-dbm.ts';
import { predict, stateInOperation } from '../../../src/model/predict.ts';
import type { Question } from '../../../src/model/question.ts';
import { stage1Regime } from '../../../src/vmsa/regime.ts';
import type { SystemRegisters } from '../../../src/vmsa/types.ts';
import { rewriteRecording } from '../../evidence/rewrite-recording.ts';
import { readFixture } from '../../fixture.ts';
import { given } from '../../given.ts';

/** Where the recorded boots lie, a folder for each. */
export const recordedFolder = join(import.meta.dirname, 'fixtures');

/** What else the check needs of a recorded boot; bigints are text. */
export interface RecordedKernel {
  schema: 1;
  question: Omit<Question, 'symbolOffset'>;
  symbolOffsets: Record<string, number>;
  /** Of CPU 0 at the first checkpoint. */
  registers: SystemRegisters;
  image: ImageLayout;
  aliasBit: number;
}

/** A recorded boot of test/diff/refinement/fixtures, as npm run record:operations made it. */
export function recordedKernel(name: string): {
  recording: Recording;
  kernel: CheckedKernel;
  registers: SystemRegisters;
} {
  const folder = join(recordedFolder, name);
  const data = readFixture<RecordedKernel>(join(folder, 'kernel.json.gz'), 1, bigintReviver);
  const { traits } = data.question;
  const question: Question = {
    ...data.question,
    traits: {
      ...traits,
      requiresSymbol: traits.requiresSymbol ?? undefined,
      // Recordings that do not say so are of other CPUs.
      brokenDbm: traits.brokenDbm ?? everyBrokenDbm,
    },
    symbolOffset: (symbol) => given(data.symbolOffsets[symbol]),
  };
  const { decisions } = predict(question);
  return {
    recording: given(readRecording(folder)),
    registers: data.registers,
    kernel: {
      state: stateInOperation(question, decisions),
      regime: stage1Regime(data.registers, 'ttbr1'),
      image: data.image,
      aliasBit: data.aliasBit,
    },
  };
}

/** Mappings of __set_fixmap() that a fixture keeps: there are 115,000 in a boot, all alike. */
const fixmaps = 50;

/** The slots of the fixmap that are in use when a recording ends. */
function lastingSlots(recording: Recording): Set<bigint> {
  const slots = new Set<bigint>();
  followRecording(recording, {
    entered: ({ name, args: [slot = 0n, , flags] }) => {
      if (name === '__set_fixmap') flags === 0n ? slots.delete(slot) : slots.add(slot);
    },
  });
  return slots;
}

/**
 * A recording without most mappings that __set_fixmap() makes and takes away again: a tenth of its
 * size.
 */
export function withoutFixmaps(recording: Recording): Recording {
  type Open = Parameters<RecordedOperations['enter']>[1] & { kept: boolean };
  const open = new RecordedOperations<Open>();
  const lasting = lastingSlots(recording);
  const used = new Set<bigint>();
  let seen = 0;
  const isKept = ([slot = 0n, , flags]: readonly bigint[]): boolean => {
    if (flags === 0n) return used.delete(slot) || lasting.has(slot);
    const kept = lasting.has(slot) || used.has(slot) || seen++ < fixmaps;
    if (kept) used.add(slot);
    return kept;
  };
  return rewriteRecording(recording, (event, { cpu }) => {
    const kept = (): boolean => open.innermost(cpu)?.kept !== false;
    switch (event.kind) {
      case 'enter': {
        const isFixmap = recording.functions[event.call.listed]?.name === '__set_fixmap';
        open.enter(cpu, { ...event, kept: !isFixmap || isKept(event.args) });
        return kept() ? [event] : [];
      }
      case 'leave':
        return open.leave(cpu)?.kept === false ? [] : [event];
      case 'switch':
        open.switch(cpu, event.previous, event.next);
        return [event];
      case 'mark':
        open.mark(cpu);
        return [event];
      case 'unmark':
        open.unmark(cpu);
        return [event];
      case 'store':
      case 'tlbi':
      case 'barrier':
        return kept() ? [event] : [];
      default:
        return [event];
    }
  });
}
