// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { defaultJobs } from '../../harness/laboratory/laboratory.ts';
import {
  type MatrixRequest,
  type PlannedMatrix,
  planMatrix,
} from '../../harness/laboratory/plan-matrix.ts';
import { type FirmwareRequest, runFirmware } from '../../harness/laboratory/run-firmware.ts';
import { runsFolder, timeStamp } from '../../harness/laboratory/run-record.ts';
import { runStored } from '../../harness/laboratory/run-stored.ts';
import { checkStore, storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { withLockedFolder } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { withPatches } from '../../images/kernel-spec.ts';
import { countText } from '../diff/text.ts';
import { formatFirmwareBoot } from '../report/terminal-firmware.ts';
import { describeUnfit } from '../report/unfit.ts';
import { type Depth, depths } from '../scenario/depth.ts';
import { checkParameter } from '../scenario/schema.ts';
import type { Variation } from '../scenario/variation.ts';
import { exitCodes } from './exit-codes.ts';
import { addMannerOptions, type MannerOptions, mannerOf } from './manner-options.ts';
import { fullOption, publishReport } from './publish-report.ts';
import { runStopped } from './run-stopped.ts';
import {
  collect,
  durationOf,
  kernelSpecHelp,
  patchHelp,
  positiveInteger,
  scenarioHelp,
  seedNumber,
  type Verb,
} from './verb.ts';

/** Options of `ptdiff run` as parsed. */
interface RunOptions extends MannerOptions {
  kernel?: string[];
  patch?: string[];
  scenario?: string[];
  jobs: number;
  out?: string;
  json?: boolean;
  full?: boolean;
  store?: string;
  dryRun?: boolean;
  firmware?: string;
  seed?: number;
  plain?: true;
  param?: string[];
  stopAt?: string;
  depth?: Depth;
  budget?: number;
}

/**
 * Lists the cases that would run; kernels that are not available have been reported already.
 * @returns the exit code
 */
function dryRun({ plan: { planned, leftOut, unfit }, unavailable }: PlannedMatrix): number {
  const lost = new Set(unavailable.map(({ spec }) => spec));
  const there = planned.filter(({ kernel }) => !lost.has(kernel));
  for (const { case: name, depth } of there)
    process.stdout.write(`${name}${depth === 'early' ? ' (early)' : ''}\n`);
  const early = there.filter(({ depth }) => depth === 'early').length;
  const thinned =
    leftOut.length > 0
      ? `, ${leftOut.length} left out by pairwise coverage (--scenario all runs everything)`
      : '';
  say(`${countText(there.length, 'case')}; ${early} of them early${thinned}`);
  for (const note of describeUnfit(unfit, { full: true })) say(note);
  if (lost.size === 0) return exitCodes.pass;
  say(
    `${countText(planned.length - there.length, 'case')} would end in error: ${[...lost].join(', ')} not available`,
  );
  return exitCodes.errors;
}

/**
 * `ptdiff run`: predicts, boots, compares and reports.
 * @returns the exit code
 */
async function run(options: RunOptions, signal: AbortSignal): Promise<number> {
  const out = resolve(options.out ?? join(runsFolder, timeStamp()));
  const { kernel = [], patch = [], scenario: scenarios = [], jobs, qemu, firmware } = options;
  const kernels = withPatches(kernel, patch);
  if (firmware !== undefined) {
    const boot = { firmware, kernels, scenarios, out, ...(qemu !== undefined && { qemu }) };
    return withLockedFolder(out, () => bootFirmware(boot, signal), { signal });
  }
  const { seed, plain, param: parameters } = options;
  for (const word of parameters ?? []) checkParameter(word);
  const variation: Variation = {
    ...(seed !== undefined && { seed }),
    ...(plain && { plain }),
    ...(parameters && { parameters }),
  };
  const request = {
    kernels,
    scenarios,
    jobs,
    out,
    depth: options.depth ?? ('planned' as const),
    oncePerImage: true as const,
    ...(Object.keys(variation).length > 0 && { variation }),
    ...mannerOf(options),
  };
  if (options.dryRun) {
    return dryRun(await planMatrix(request, signal));
  }
  if (options.stopAt !== undefined) return runStopped(request, options.stopAt, signal);
  const store = storeFile(options.store);
  await checkStore(store);
  const { stored } = await runStored({ ...request, ...withinBudget(options) }, store, signal);
  const code = await publishReport(out, {
    json: options.json === true,
    full: options.full === true,
    interrupted: signal.aborted,
  });
  return code === exitCodes.pass && !stored ? exitCodes.errors : code;
}

/** What ends a run whose time is over: no case begins after that. */
function withinBudget({ budget }: RunOptions): Pick<MatrixRequest, 'budget' | 'enough'> {
  if (budget === undefined) return {};
  const until = performance.now() + budget * 1000;
  return { budget, enough: () => performance.now() > until };
}

/** `ptdiff run --firmware FILE`. */
async function bootFirmware(request: FirmwareRequest, signal: AbortSignal): Promise<number> {
  const { boot, findings } = await runFirmware(request, signal);
  process.stdout.write(formatFirmwareBoot(boot, findings));
  say(`evidence: ${request.out}`);
  if (findings.length > 0) return exitCodes.findings;
  return boot.recordsFound ? exitCodes.pass : exitCodes.errors;
}

export const addRun: Verb = (command, { signal, finish }) => {
  command
    .option('--kernel <spec>', kernelSpecHelp, collect)
    .option('--patch <file>', patchHelp, collect)
    .option('--scenario <name|file>', scenarioHelp, collect)
    .option(
      '--jobs <n>',
      "number of cases at a time (default: the host's cores)",
      positiveInteger,
      defaultJobs(),
    )
    .option('--out <dir>', 'folder for the results; continues an interrupted run')
    .option(...fullOption)
    .option('--json', 'print the results as JSON');
  addMannerOptions(command, ['firmware', 'stopAt'])
    .addOption(
      new Option(
        '--firmware <file>',
        'boot one kernel from your own flash image, and collect what its console and RAM show',
      ).conflicts(['json', 'store', 'dryRun']),
    )
    .addOption(
      new Option(
        '--depth <depth>',
        'boot every case in full, or every one up to the return of smp_cpus_done() (default: in full what can still tell something then)',
      ).choices(depths),
    )
    .option(
      '--budget <time>',
      'start no case after this time, e.g. 3m; what tells most runs first',
      durationOf,
    )
    .option('--seed <n>', 'seed of KASLR and random numbers (default: a fixed one)', seedNumber)
    .option(
      '--plain',
      'boot without skipping anything: also what has nothing to do with mappings, such as cipher self-tests',
    )
    .option(
      '--param <word>',
      'an additional kernel parameter for each scenario, e.g. isolcpus=1; may be repeated',
      collect,
    )
    .option(
      '--stop-at <checkpoint>',
      'boot one case up to a checkpoint, and keep it there for a debugger until Ctrl-C',
    )
    .option('--store <file>', storeHelp)
    .option('--dry-run', 'print the cases and do nothing')
    .action(async (options) => finish(await run(options, signal)));
};
