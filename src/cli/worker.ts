// SPDX-License-Identifier: GPL-2.0-only
import { hostname } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { farmAddress, farmHelp } from '../../harness/laboratory/farm/address.ts';
import { defaultJobs } from '../../harness/laboratory/laboratory.ts';
import { exitCodes } from './exit-codes.ts';
import { positiveInteger, type Verb } from './verb.ts';

/** Options of `ptdiff worker` as typed. */
interface WorkerOptions {
  farm: string;
  jobs: number;
  label: string;
  keep: number;
  build?: boolean;
}

/**
 * `ptdiff worker`.
 * @returns the exit code: that it was asked to end is no trouble
 */
async function work(options: WorkerOptions, signal: AbortSignal): Promise<number> {
  const address = farmAddress(options.farm);
  const { startWorker } = await import('../../harness/laboratory/farm/start-worker.ts');
  const { jobs, label, keep, build = false } = options;
  await startWorker({ address, jobs, label, keep: keep * 2 ** 30, build, signal });
  return exitCodes.pass;
}

/** It is in every result and in lists: one word of what any terminal shows. */
function labelOf(value: string): string {
  if (/^[\w.+:@-]{1,64}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be a word of letters, digits and . _ + : @ -');
}

export const addWorker: Verb = (command, { signal, finish }) => {
  command
    .requiredOption('--farm <url>', farmHelp)
    .option(
      '--jobs <n>',
      "cases at the same time (default: the host's cores)",
      positiveInteger,
      defaultJobs(),
    )
    .option('--label <name>', 'what results and lists call it', labelOf, hostname())
    .option(
      '--build',
      'build kernels for the farm, too: the makefiles of their sources then run on this host',
    )
    .option(
      '--keep <gib>',
      'GiB of the cache for kernels and other files that come from farms',
      positiveInteger,
      8,
    )
    .action(async (options) => finish(await work(options, signal)));
};
