// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../../host/say.ts';
import { runFiles } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import { openStore } from '../../results/store/store.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import type { MatrixRequest } from './plan-matrix.ts';
import { type MatrixResult, runMatrix } from './run-matrix.ts';

/** A matrix that was run, and whether the store has it. */
interface StoredMatrix extends MatrixResult {
  stored: boolean;
}

/**
 * Brings what a run folder holds into the store. The folder is the source of truth: where the store
 * cannot take it, nothing is lost, and the user is told how to go on.
 * @returns whether the store has it
 */
async function feedStore(path: string, folder: string): Promise<boolean> {
  try {
    using store = await openStore(path);
    importRun(store, folder);
    return true;
  } catch (error) {
    if (!(error instanceof PtdiffError)) throw error;
    say(
      `${messageOf(error)} The results are safe in ${folder}; './ptdiff import ${folder}' brings them into the store.`,
    );
    return false;
  }
}

/**
 * runMatrix(), and what came of it goes into the results store, whether or not the run came to its
 * end: a boot is evidence about its kernel, whatever it was made for.
 * @param store path of the results store, see storeFile()
 */
export async function runStored(
  request: MatrixRequest,
  store: string,
  signal: AbortSignal,
): Promise<StoredMatrix> {
  let ended = false;
  try {
    const result = await runMatrix(request, signal);
    ended = true;
    return { ...result, stored: await feedStore(store, request.out) };
  } finally {
    // The user is told why the run broke off; what it did must not wait for somebody to go on with
    // it.
    if (!ended && existsSync(join(request.out, runFiles.run))) await feedStore(store, request.out);
  }
}
