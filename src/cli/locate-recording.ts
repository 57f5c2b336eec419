// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { readRecording } from '../../results/recording-file.ts';
import { readRunRecord, runFiles } from '../../results/run-folder.ts';
import { PtdiffError } from '../errors.ts';
import type { Recording } from '../evidence/capture.ts';
import type { Scenario } from '../scenario/types.ts';
import { locateCase } from './locate-case.ts';

/**
 * Finds the recording of a case that was passed to a verb, and the case's folder and scenario.
 * @throws PtdiffError(usage) when there is no such case, or it was not recorded
 */
export async function locateRecording(
  given: string,
  out: string | undefined,
): Promise<{ recording: Recording; directory: string; scenario?: Scenario }> {
  const { folder, result } = await locateCase(given, out);
  const directory = join(folder, runFiles.caseFolders, result.case);
  const recording = readRecording(directory);
  if (recording === undefined)
    throw new PtdiffError(
      'usage',
      `The case ${result.case} was not recorded; run it again without --no-record.`,
    );
  const { scenarios } = readRunRecord(folder);
  const scenario = scenarios.find(({ name }) => name === result.scenario);
  return { recording, directory, ...(scenario && { scenario }) };
}
