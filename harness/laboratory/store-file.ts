// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { importRun } from '../../results/store/import-run.ts';
import { openStore } from '../../results/store/store.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';

/** For --help. */
export const storeHelp = 'the results store (default: PTDIFF_STORE, or results/ptdiff.sqlite)';

/**
 * The results store that a command means: what --store names, or the environment, or the one in
 * results/.
 */
export function storeFile(option: string | undefined): string {
  return resolve(
    option ?? (process.env.PTDIFF_STORE || join(repositoryRoot, 'results', 'ptdiff.sqlite')),
  );
}

/**
 * Opens the store and closes it again: what is wrong with it shows before hours of work, not after.
 */
export async function checkStore(path: string): Promise<void> {
  (await openStore(path)).close();
}

/**
 * Brings what a run folder holds into the store. The folder is the source of truth: where the store
 * cannot take it, nothing is lost, and the user is told how to go on.
 * @returns whether the store has it
 */
export async function feedStore(path: string, folder: string): Promise<boolean> {
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
