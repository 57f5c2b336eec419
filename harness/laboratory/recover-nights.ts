// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../host/say.ts';
import { runFiles } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import { brokenNights, endNight } from '../../results/store/nights.ts';
import type { Store } from '../../results/store/store.ts';
import { countText } from '../../src/diff/text.ts';
import { PtdiffError } from '../../src/errors.ts';

/** Runs of a night below its folder. */
export const nightParts = ['first', 'again'] as const;

/** The run folders that a night has made so far. */
export function nightRuns(folder: string): string[] {
  return nightParts
    .map((part) => join(folder, part))
    .filter((run) => existsSync(join(run, runFiles.run)));
}

/** The exploration of a night below its folder. */
export const exploredPart = 'explored';

/** The run folders of a night's exploration. */
function exploredRuns(folder: string): string[] {
  const explored = join(folder, exploredPart);
  if (!existsSync(explored)) return [];
  return readdirSync(explored)
    .filter((name) => /^\d{4,}$/.test(name))
    .map((name) => join(explored, name))
    .filter((run) => existsSync(join(run, runFiles.run)));
}

/** Imports a run. A run with damaged files must not keep all later nights from running. */
function casesOf(store: Store, run: string): number {
  try {
    return importRun(store, run).cases;
  } catch (error) {
    if (!(error instanceof PtdiffError) || error.fault !== 'usage') throw error;
    say(error.message);
    return 0;
  }
}

/** Imports the results of nights that were killed, so that they count. */
export function recoverNights(store: Store): void {
  for (const { id, started, folder } of brokenNights(store)) {
    const runs = [...nightRuns(folder), ...exploredRuns(folder)];
    const cases = runs.reduce((sum, run) => sum + casesOf(store, run), 0);
    endNight(store, id, { ended: started, unconfirmed: [] });
    say(`the night of ${started} did not finish; its results count: ${countText(cases, 'case')}`);
  }
}
