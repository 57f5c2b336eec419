// SPDX-License-Identifier: GPL-2.0-only
import { relative, resolve } from 'node:path';
import { writeReportPage } from '../../harness/laboratory/report-page.ts';
import { say } from '../../host/say.ts';
import type { CaseResult } from '../diff/types.ts';
import { paintOptions } from '../report/colour.ts';
import { formatRun } from '../report/terminal.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import type { Verb } from './verb.ts';

function exitCodeOf(cases: readonly CaseResult[], interrupted: boolean): number {
  if (interrupted) return exitCodes.interrupted;
  if (cases.some(({ verdict }) => ['fail', 'hang', 'crash'].includes(verdict)))
    return exitCodes.findings;
  return cases.some(({ verdict }) => verdict === 'error') ? exitCodes.errors : exitCodes.pass;
}

/** A folder as the user would type it: a folder below the current one gets a relative path. */
function shortPath(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path === '' || path.startsWith('..') ? resolve(folder) : path;
}

/** How a report is printed. */
interface PublishOptions {
  json: boolean;
  /** Every finding and the matrix, instead of a summary. */
  full: boolean;
  interrupted: boolean;
}

/** The option that shows the full report instead of a summary. */
export const fullOption = [
  '--full',
  'print every finding of known issues and the matrix of all scenarios',
] as const;

/**
 * Writes report.html into a run folder and prints the summary, or with `json` everything as JSON.
 * @returns the exit code for the results
 */
export async function publishReport(folder: string, options: PublishOptions): Promise<number> {
  const { report, page } = await writeReportPage(shortPath(folder));
  const { stdout } = process;
  if (options.json) stdout.write(`${stableJson({ run: report.run, cases: report.cases }, 1)}\n`);
  else
    stdout.write(formatRun(report, { ...paintOptions(stdout, process.env), full: options.full }));
  say(`report: ${page}`);
  return exitCodeOf(report.cases, options.interrupted);
}

export const addReport: Verb = (command, { finish }) => {
  command
    .argument('<dir>', 'the run folder')
    .option(...fullOption)
    .option('--json', 'print the results as JSON')
    .action(async (folder, options) =>
      finish(
        await publishReport(folder, {
          json: options.json === true,
          full: options.full === true,
          interrupted: false,
        }),
      ),
    );
};
