// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { say } from '../../../host/say.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import type { Look } from '../../../src/history/types.ts';
import { type ExploredNight, exploredNight } from '../../../src/nightly/explored.ts';
import type { NightSetting, PreparedNight } from '../prepare-night.ts';
import { exploredPart } from '../recover-nights.ts';
import { explore } from './explore.ts';
import { summaryOf } from './summary.ts';

/**
 * Boots random machines on the night's kernels until its budget is spent; every night has a seed of
 * its own. What goes wrong here does not end the night.
 * @param before what the watched kernels have shown before, tonight's cases included
 * @returns undefined where the night wants none, or has no time left
 */
export async function exploreNight(
  { config, folder, jobs, storePath, signal, farm }: NightSetting,
  { specs, loaded, started, variation }: PreparedNight,
  before: readonly Look[],
): Promise<ExploredNight | undefined> {
  const enough = () => Date.now() - started.getTime() > config.budget * 1000;
  if (config.explore === 0 || specs.length === 0 || signal.aborted || enough()) return undefined;
  const out = join(folder, exploredPart);
  const request = {
    kernels: specs,
    loaded,
    ...(variation.seed !== undefined && { seed: variation.seed }),
    machines: Number.POSITIVE_INFINITY,
    enough,
    jobs,
    out,
    store: storePath,
    ...(farm && { farm }),
  };
  try {
    const explored = await explore(request, signal);
    const shown = new Set(before.flatMap(({ findings }) => findings.map(({ id }) => id)));
    return exploredNight(summaryOf(explored, out), (finding) => shown.has(finding));
  } catch (error) {
    if (!(error instanceof PtdiffError) && !signal.aborted) throw error;
    if (!signal.aborted) say(`no more random machines tonight: ${messageOf(error)}`);
    return undefined;
  }
}
