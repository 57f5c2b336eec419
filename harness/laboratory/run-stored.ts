// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../host/say.ts';
import { timedNow } from '../../host/timed.ts';
import { runFiles } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStore } from '../../results/store/store.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { tellFirst } from '../../src/history/tell-first.ts';
import type { MatrixRequest } from './plan-matrix.ts';
import { type MatrixResult, runMatrix } from './run-matrix.ts';

/** A matrix that was run, and whether the store has its results. */
interface StoredMatrix extends MatrixResult {
  stored: boolean;
}

/**
 * Imports the contents of a run folder into the store. The folder is the source of truth: if the
 * store cannot import it, nothing is lost, and the user is told how to continue.
 * @returns whether the store has it
 */
export async function feedStore(path: string, folder: string): Promise<boolean> {
  try {
    using store = await openStore(path);
    timedNow('report', () => importRun(store, folder));
    return true;
  } catch (error) {
    if (!(error instanceof PtdiffError)) throw error;
    say(
      `${messageOf(error)} The results are safe in ${folder}; './ptdiff import ${folder}' imports them into the store.`,
    );
    return false;
  }
}

/** Cases that often showed something, or are new, begin first, by what the store knows. */
const orderBy =
  (path: string): NonNullable<MatrixRequest['order']> =>
  async (planned) => {
    using store = await openStore(path);
    const scenarios = [...new Set(planned.map(({ scenario }) => scenario))];
    return tellFirst(planned, readLooks(store, { scenarios }));
  };

/**
 * runMatrix() with its results imported into the results store, whether or not the run was
 * completed: a boot is evidence about its kernel, whatever its purpose.
 * @param store path of the results store, see storeFile()
 */
export async function runStored(
  request: MatrixRequest,
  store: string,
  signal: AbortSignal,
): Promise<StoredMatrix> {
  let ended = false;
  try {
    const result = await runMatrix({ order: orderBy(store), ...request }, signal);
    ended = true;
    return { ...result, stored: await feedStore(store, request.out) };
  } finally {
    // The user is told why the run was interrupted; its results must not wait until someone
    // continues it.
    if (!ended && existsSync(join(request.out, runFiles.run))) await feedStore(store, request.out);
  }
}
