// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import type { JudgedBoot } from '../src/diff/compare-replay.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { PtdiffError } from '../src/errors.ts';
import { caseFiles, readEvidenceOf, readPrediction } from './run-folder.ts';

/**
 * Reads the prediction and the evidence of a case from its folder; a case that ended early has
 * none.
 * @throws PtdiffError(usage) when one of them exists and cannot be read
 */
export function readJudgedBoot(directory: string, result: CaseResult): JudgedBoot {
  const unreadable: string[] = [];
  const prediction = readPrediction(join(directory, caseFiles.prediction), unreadable);
  const evidence = readEvidenceOf(directory, unreadable);
  const [trouble] = unreadable;
  if (trouble !== undefined) throw new PtdiffError('usage', trouble);
  return {
    result,
    ...(prediction && { prediction: { ...prediction, decisions: prediction.decisions ?? {} } }),
    ...(evidence && { evidence }),
  };
}
