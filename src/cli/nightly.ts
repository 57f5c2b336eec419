// SPDX-License-Identifier: GPL-2.0-only
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { farmAddress, farmHelp } from '../../harness/laboratory/farm/address.ts';
import { defaultJobs } from '../../harness/laboratory/laboratory.ts';
import {
  type NightSetting,
  nightFolder,
  prepareNight,
} from '../../harness/laboratory/prepare-night.ts';
import { recoverNights } from '../../harness/laboratory/recover-nights.ts';
import { runNight } from '../../harness/laboratory/run-night.ts';
import { storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { sha256 } from '../../host/cache.ts';
import { withLock } from '../../host/lock.ts';
import { readRegularText, whyUnreadable } from '../../host/read-file.ts';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { openStore } from '../../results/store/store.ts';
import { countText } from '../diff/text.ts';
import { PtdiffError } from '../errors.ts';
import { type NightConfig, parseNightConfig } from '../nightly/config.ts';
import { hasErrors, type NightSummary } from '../nightly/summary.ts';
import { paintOptions } from '../report/colour.ts';
import { formatNight } from '../report/terminal-night.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import type { Verb } from './verb.ts';

/** Options of `ptdiff nightly` as parsed. */
interface NightlyOptions {
  config: string;
  store?: string;
  json?: boolean;
  dryRun?: boolean;
  farm?: string;
}

async function readConfig(path: string): Promise<NightConfig> {
  let data: unknown;
  try {
    data = parse(await readRegularText(path));
  } catch (error) {
    const why = whyUnreadable(error).split('\n')[0];
    throw new PtdiffError('usage', `Cannot read the configuration ${path}: ${why}.`, {
      cause: error,
    });
  }
  return parseNightConfig(data, path);
}

function exitCodeOf(night: NightSummary): number {
  if (night.interrupted) return exitCodes.interrupted;
  const fresh = night.judgement.fresh.length + (night.explored?.fresh.length ?? 0);
  if (fresh > 0) return exitCodes.findings;
  return hasErrors(night) ? exitCodes.errors : exitCodes.pass;
}

async function night(setting: NightSetting, options: NightlyOptions): Promise<number> {
  recoverNights(setting.store);
  const prepared = await prepareNight(setting);
  if (options.dryRun) {
    for (const { candidate, reason } of prepared.choices)
      process.stdout.write(`${reason.padEnd(9)}  ${candidate.case}\n`);
    for (const { spec, reason } of prepared.unavailable) say(`${spec}: ${reason}`);
    const { candidates } = prepared.input;
    say(
      `${countText(prepared.choices.length, 'case')} of ${candidates.length}; the budget may end the night earlier`,
    );
    return exitCodes.pass;
  }
  const summary = await runNight(setting, prepared);
  const { stdout } = process;
  stdout.write(
    options.json
      ? `${stableJson(summary, 1)}\n`
      : formatNight(summary, paintOptions(stdout, process.env)),
  );
  return exitCodeOf(summary);
}

/**
 * `ptdiff nightly`: runs what changed, what never ran, and part of the rest, and compares the
 * results with the history.
 * @returns the exit code
 */
async function nightly(options: NightlyOptions, signal: AbortSignal): Promise<number> {
  const configPath = resolve(options.config);
  const farm = options.farm === undefined ? undefined : farmAddress(options.farm);
  const config = await readConfig(configPath);
  const beside = (path: string | undefined) => path && resolve(dirname(configPath), path);
  const storePath = storeFile(options.store ?? beside(config.store));
  const out = beside(config.out) ?? join(repositoryRoot, 'results', 'nights');
  (await openStore(storePath)).close();
  const waiting = `another night with the store ${storePath} is running; this one starts when that has ended`;
  return withLock(
    `night-${sha256(storePath).slice(0, 16)}`,
    async () => {
      using store = await openStore(storePath);
      const folder = nightFolder(out, configPath);
      return await night(
        {
          config,
          configPath,
          folder,
          jobs: config.jobs ?? defaultJobs(),
          store,
          storePath,
          signal,
          ...(farm && { farm }),
        },
        options,
      );
    },
    { waiting, progress: say, signal },
  );
}

export const addNightly: Verb = (command, { signal, finish }) => {
  command
    .requiredOption(
      '--config <file>',
      'YAML file: what to watch, in how many nights, and the length of a night',
    )
    .option('--farm <url>', farmHelp)
    .option('--store <file>', storeHelp)
    .option('--json', 'print the summary as JSON')
    .option('--dry-run', 'print the cases with the reason for each, in order, and run nothing')
    .action(async (options) => finish(await nightly(options, signal)));
};
