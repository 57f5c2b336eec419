// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import { explore } from '../../harness/laboratory/explore/explore.ts';
import { summaryOf } from '../../harness/laboratory/explore/summary.ts';
import { defaultJobs } from '../../harness/laboratory/laboratory.ts';
import { runsFolder, timeStamp } from '../../harness/laboratory/run-record.ts';
import { checkStore, storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { PtdiffError } from '../errors.ts';
import type { ExplorationSummary } from '../nightly/explored.ts';
import { paintOptions } from '../report/colour.ts';
import { formatExploration } from '../report/terminal-exploration.ts';
import { type Depth, depths } from '../scenario/depth.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import { addMannerOptions, type MannerOptions, mannerOf } from './manner-options.ts';
import {
  collect,
  durationOf,
  kernelSpecHelp,
  positiveInteger,
  seedNumber,
  type Verb,
} from './verb.ts';

/** Options of `ptdiff explore` as the command line has them. */
interface ExploreOptions extends MannerOptions {
  machines?: true;
  kernel?: string[];
  seed?: number;
  depth?: Depth;
  time: number;
  count?: number;
  jobs: number;
  out?: string;
  store?: string;
  json?: true;
}

function machineCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError('It must be a number from 1 on.');
  return count;
}

function exitCodeOf({ differences, cases }: ExplorationSummary, interrupted: boolean): number {
  if (interrupted) return exitCodes.interrupted;
  if (differences.length > 0) return exitCodes.findings;
  return cases.some(({ verdict }) => verdict === 'error') ? exitCodes.errors : exitCodes.pass;
}

/**
 * `ptdiff explore --machines`: boots machines made at random.
 * @returns the exit code
 */
async function exploreMachines(options: ExploreOptions, signal: AbortSignal): Promise<number> {
  if (!options.machines)
    throw new PtdiffError('usage', 'Say what to explore: --machines, scenarios made at random.');
  const folder = resolve(options.out ?? join(runsFolder, `explore-${timeStamp()}`));
  const store = storeFile(options.store);
  await checkStore(store);
  const end = performance.now() + options.time * 1000;
  const explored = await explore(
    {
      ...(options.kernel && { kernels: options.kernel }),
      ...(options.seed !== undefined && { seed: options.seed }),
      ...(options.depth && { depth: options.depth }),
      machines: options.count ?? Number.POSITIVE_INFINITY,
      enough: () => performance.now() > end,
      jobs: options.jobs,
      out: folder,
      store,
      ...mannerOf(options),
    },
    signal,
  );
  const summary = summaryOf(explored, folder);
  const { stdout } = process;
  stdout.write(
    options.json
      ? `${stableJson(summary, 1)}\n`
      : formatExploration(summary, paintOptions(stdout, process.env)),
  );
  return exitCodeOf(summary, signal.aborted);
}

export const addExplore: Verb = (command, { signal, finish }) => {
  command
    .option('--machines', 'scenarios made at random from the whole schema')
    .option('--kernel <spec>', `${kernelSpecHelp} (default: those of run)`, collect)
    .option('--seed <n>', 'repeats an exploration (default: one that is new)', seedNumber)
    .addOption(
      new Option(
        '--depth <depth>',
        'boot every machine in full, or up to the return of smp_cpus_done() (default: full)',
      ).choices(depths),
    )
    .option('--time <t>', "when to end, e.g. '90m' or '2h'", durationOf, 3600)
    .option('--count <n>', 'machines in all, if the time allows (default: no end)', machineCount)
    .option(
      '--jobs <n>',
      "cases at the same time (default: the host's cores)",
      positiveInteger,
      defaultJobs(),
    )
    .option('--out <dir>', 'folder for the results; an exploration that was stopped there goes on');
  addMannerOptions(command)
    .option('--store <file>', storeHelp)
    .option('--json', 'print the summary as JSON')
    .action(async (options) => finish(await exploreMachines(options, signal)));
};
