// SPDX-License-Identifier: GPL-2.0-only
import { storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { say } from '../../host/say.ts';
import { importRun } from '../../results/store/import-run.ts';
import { openStore } from '../../results/store/store.ts';
import { countText } from '../diff/text.ts';
import { PtdiffError } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';
import type { Verb } from './verb.ts';

/**
 * `ptdiff import`: imports run folders into the store. If one cannot be read, the others are
 * imported all the same.
 */
async function importFolders(folders: string[], path: string): Promise<number> {
  using store = await openStore(path);
  const totals = { runs: 0, newRuns: 0, cases: 0, changed: 0 };
  let code: number = exitCodes.pass;
  for (const folder of folders) {
    try {
      const { cases, changed, newRun } = importRun(store, folder);
      totals.runs++;
      totals.cases += cases;
      totals.changed += changed;
      if (newRun) totals.newRuns++;
    } catch (error) {
      if (!(error instanceof PtdiffError) || error.fault !== 'usage') throw error;
      say(error.message);
      code = exitCodes.usage;
    }
  }
  const { runs, newRuns, cases, changed } = totals;
  process.stdout.write(
    `${countText(runs, 'run')} (${newRuns} new), ${countText(cases, 'case')} (${changed} new or changed) in ${path}\n`,
  );
  return code;
}

export const addImport: Verb = (command, { finish }) => {
  command
    .argument('<dir...>', 'run folders')
    .option('--store <file>', storeHelp)
    .action(async (folders, options) =>
      finish(await importFolders(folders, storeFile(options.store))),
    );
};
