import { join, relative, resolve } from 'node:path';
import { replaceFile } from '../../harness/host-file.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import { readRunFolder, runFiles } from '../../results/run-folder.ts';
import type { CaseResult } from '../diff/types.ts';
import { paintOptions } from '../report/colour.ts';
import { formatHtml } from '../report/html/page.ts';
import { formatRun } from '../report/terminal.ts';
import type { Report } from '../report/types.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import { knownIssuesFolder } from './laboratory.ts';
import { say } from './output.ts';
import type { Verb } from './verb.ts';

function exitCodeOf(cases: readonly CaseResult[], interrupted: boolean): number {
  if (interrupted) return exitCodes.interrupted;
  if (cases.some(({ verdict }) => ['fail', 'hang', 'crash'].includes(verdict))) return exitCodes.findings;
  return cases.some(({ verdict }) => verdict === 'error') ? exitCodes.errors : exitCodes.pass;
}

/** Writes report.html into a run folder. */
export async function writeReportPage(folder: string): Promise<{ report: Report; page: string }> {
  const report = readRunFolder(folder, await loadKnownIssues(knownIssuesFolder));
  const page = join(folder, runFiles.report);
  replaceFile(page, formatHtml(report));
  return { report, page };
}

/** A folder as the user would type it: what lies below the current folder is named from there. */
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

/** The option by which a summary gets whole. */
export const fullOption = ['--full', 'print every finding of known issues and the matrix of all scenarios'] as const;

/**
 * Writes report.html into a run folder and prints the summary, or with `json` everything as JSON.
 * @returns the exit code that the results ask for
 */
export async function publishReport(folder: string, options: PublishOptions): Promise<number> {
  const { report, page } = await writeReportPage(shortPath(folder));
  const { stdout } = process;
  if (options.json) stdout.write(`${stableJson({ run: report.run, cases: report.cases }, 1)}\n`);
  else stdout.write(formatRun(report, { ...paintOptions(stdout, process.env), full: options.full }));
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
        await publishReport(folder, { json: options.json === true, full: options.full === true, interrupted: false }),
      ),
    );
};
