// SPDX-License-Identifier: GPL-2.0-only
import type { LeafDifferences } from '../diff/compare.ts';
import { runsIn } from '../diff/runs.ts';
import type { Capture, ProbeResult } from '../evidence/capture.ts';
import type { Prediction } from '../model/types.ts';
import type { CaseDossier, CaseDrawing } from './types.ts';

/** What a picture needs of a capture, so that a reader of a run folder need not load the rest. */
type DrawnCapture = Pick<Capture, 'checkpoint'> & {
  cpus: Pick<Capture['cpus'][number], 'registers'>[];
  ttbr1: Pick<Capture['ttbr1'], 'leaves'>;
};

/** What a report needs of a prediction. */
export type DrawnPrediction = Pick<
  Prediction,
  'newerThanKnown' | 'derivation' | 'linearRegion' | 'probes'
> & {
  decisions: CaseDossier['decisions'];
  checkpoints: {
    [Name in Capture['checkpoint']]?: Pick<NonNullable<Prediction['checkpoints'][Name]>, 'leaves'>;
  };
};

/** What is known about one case, as far as its boot and its files got. */
export interface CaseMaterial {
  prediction?: DrawnPrediction;
  captures: readonly DrawnCapture[];
  /** The differences that the judge found, where there is a prediction. */
  differences: LeafDifferences;
  probes?: ProbeResult[];
  changes?: CaseDossier['changes'];
  repro?: string;
  console?: string;
}

const consoleLines = 60;

/** The last lines of a console: they show why a kernel died. */
function tailOf(console: string): string {
  return console.trimEnd().split('\n').slice(-consoleLines).join('\n');
}

function draw(
  capture: DrawnCapture,
  prediction: DrawnPrediction,
  differences: LeafDifferences,
): CaseDrawing[] {
  const predicted = prediction.checkpoints[capture.checkpoint];
  const registers = capture.cpus[0]?.registers;
  if (predicted === undefined || registers === undefined) return [];
  const { start, end } = prediction.linearRegion;
  return [
    {
      checkpoint: capture.checkpoint,
      linearRegion: prediction.linearRegion,
      predicted: predicted.leaves,
      actual: runsIn(capture.ttbr1.leaves, start, end),
      differences: differences[capture.checkpoint] ?? [],
      registers,
    },
  ];
}

/** Combines prediction and evidence of one case for the reports. */
export function makeDossier(name: string, material: CaseMaterial): CaseDossier {
  const { prediction, captures, differences, probes, changes, repro } = material;
  return {
    case: name,
    newerThanKnown: prediction?.newerThanKnown,
    decisions: prediction?.decisions,
    derivation: prediction?.derivation,
    predictedProbes: prediction?.probes,
    probes,
    ...(changes && { changes }),
    drawings:
      prediction === undefined
        ? []
        : captures.flatMap((capture) => draw(capture, prediction, differences)),
    repro,
    consoleTail: material.console === undefined ? undefined : tailOf(material.console),
  };
}
