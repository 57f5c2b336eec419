// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { readRecording } from '../../../results/recording-file.ts';
import { bigintReviver } from '../../../src/bigint-json.ts';
import type { ImageLayout } from '../../../src/diff/context.ts';
import type { CheckedKernel } from '../../../src/diff/refinement/check.ts';
import type { Recording } from '../../../src/evidence/capture.ts';
import { RecordedOperations } from '../../../src/evidence/recorded-operations.ts';
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
export function recordedKernel(name: string): { recording: Recording; kernel: CheckedKernel } {
  const folder = join(recordedFolder, name);
  const data = readFixture<RecordedKernel>(join(folder, 'kernel.json.gz'), 1, bigintReviver);
  const { traits } = data.question;
  const question: Question = {
    ...data.question,
    traits: { ...traits, requiresSymbol: traits.requiresSymbol ?? undefined },
    symbolOffset: (symbol) => given(data.symbolOffsets[symbol]),
  };
  const { decisions } = predict(question);
  return {
    recording: given(readRecording(folder)),
    kernel: {
      state: stateInOperation(question, decisions),
      regime: stage1Regime(data.registers, 'ttbr1'),
      image: data.image,
      aliasBit: data.aliasBit,
    },
  };
}

/** Calls of __set_fixmap() that a fixture keeps: there are 230,000 in a boot, all alike. */
const fixmaps = 100;

/** A recording without most calls of __set_fixmap() and what they did: a tenth of its size. */
export function withoutFixmaps(recording: Recording): Recording {
  const open = new RecordedOperations<
    Parameters<RecordedOperations['enter']>[1] & { kept: boolean }
  >();
  let seen = 0;
  return rewriteRecording(recording, (event, { cpu }) => {
    const kept = (): boolean => open.innermost(cpu)?.kept !== false;
    switch (event.kind) {
      case 'enter': {
        const isFixmap = recording.functions[event.call.listed]?.name === '__set_fixmap';
        open.enter(cpu, { ...event, kept: !isFixmap || seen++ < fixmaps });
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
