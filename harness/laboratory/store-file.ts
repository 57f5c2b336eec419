// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { repositoryRoot } from '../../host/version.ts';
import { openStore } from '../../results/store/store.ts';

/** For --help. */
export const storeHelp = 'the results store (default: PTDIFF_STORE, or results/ptdiff.sqlite)';

/** The results store of a command: from --store, the environment, or the default in results/. */
export function storeFile(option: string | undefined): string {
  return resolve(
    option ?? (process.env.PTDIFF_STORE || join(repositoryRoot, 'results', 'ptdiff.sqlite')),
  );
}

/** Opens the store and closes it again, so that problems show before hours of work, not after. */
export async function checkStore(path: string): Promise<void> {
  (await openStore(path)).close();
}
