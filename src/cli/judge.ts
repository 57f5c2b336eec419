// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { judgeBoards } from '../../harness/laboratory/boards/judge-boards.ts';
import { runsFolder, timeStamp } from '../../harness/laboratory/run-record.ts';
import { feedStore } from '../../harness/laboratory/run-stored.ts';
import { checkStore, storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { PtdiffError } from '../errors.ts';
import { fleetOf } from '../report/fleet.ts';
import { fleetLines } from '../report/terminal-fleet.ts';
import { exitCodes } from './exit-codes.ts';
import { fullOption, publishReport } from './publish-report.ts';
import { collect, type Verb } from './verb.ts';

/** Options of `ptdiff judge` as parsed. */
interface JudgeOptions {
  kernel?: string;
  label?: string[];
  out?: string;
  json?: boolean;
  full?: boolean;
  store?: string;
}

/** `ptdiff judge`: what archives of `collect` show of boards, by their kernels. */
async function judge(files: string[], options: JudgeOptions, signal: AbortSignal): Promise<number> {
  const { kernel, label: labels = [] } = options;
  if (labels.length > files.length) {
    throw new PtdiffError(
      'usage',
      `There are ${labels.length} labels for ${files.length} archives; name each archive once.`,
    );
  }
  const out = resolve(options.out ?? join(runsFolder, timeStamp()));
  const store = storeFile(options.store);
  await checkStore(store);
  const request = { files, labels, out, ...(kernel !== undefined && { kernel }) };
  const { refused, fleet } = await judgeBoards(request, signal);
  const stored = await feedStore(store, out);
  const code = await publishReport(out, {
    json: options.json === true,
    full: options.full === true,
    interrupted: signal.aborted,
  });
  if (fleet.length > 1 && options.json !== true)
    process.stdout.write(`\n${fleetLines(fleetOf(fleet)).join('\n')}\n`);
  return code === exitCodes.pass && (refused > 0 || !stored) ? exitCodes.errors : code;
}

export const addJudge: Verb = (command, { signal, finish }) => {
  command
    .argument('<file...>', 'archives that collect has left, ELF cores, or kdump-compressed dumps')
    .option('--kernel <spec>', 'the kernel of the boards, as for run (default: by its release)')
    .option(
      '--label <name>',
      'name of the board for history and serve (default: that of the file); once for each file',
      collect,
    )
    .option('--out <dir>', 'folder for the results')
    .option(...fullOption)
    .option('--json', 'print the results as JSON')
    .option('--store <file>', storeHelp)
    .action(async (files, options) => finish(await judge(files, options, signal)));
};
