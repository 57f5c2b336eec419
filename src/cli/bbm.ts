// SPDX-License-Identifier: GPL-2.0-only
import { Option } from 'commander';
import { readEvidence } from '../../results/evidence-files.ts';
import { checkUpdates } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import { bbmLevels } from '../diff/bbm-levels.ts';
import { countAt, formatUpdates } from '../report/terminal-updates.ts';
import { wholeIdRegisters } from '../scenario/id-overrides.ts';
import { stableJson } from '../stable-json.ts';
import { outOption } from './locate-case.ts';
import { locateRecording } from './locate-recording.ts';
import type { Verb } from './verb.ts';

interface BbmOptions {
  out?: string;
  level?: string;
  json?: boolean;
}

/** `ptdiff bbm CASE`. */
async function bbm(given: string, options: BbmOptions): Promise<number> {
  const { recording, directory, scenario } = await locateRecording(given, options.out);
  const { idRegisters } = readEvidence(directory);
  const levels = bbmLevels(
    scenario ? wholeIdRegisters(idRegisters, scenario.machine) : idRegisters,
  );
  const all = checkUpdates(recording, levels);
  const level = options.level === undefined ? undefined : (Number(options.level) as BbmLevel);
  const sites = all.filter((site) => countAt(site, level) > 0);
  process.stdout.write(options.json ? `${stableJson(sites, 1)}\n` : formatUpdates(sites, level));
  return 0;
}

export const addBbm: Verb = (command, { finish }) => {
  command
    .argument('<case>', 'its name in the newest run, or its folder')
    .option(...outOption)
    .addOption(
      new Option(
        '--level <n>',
        'level of FEAT_BBM (default: what the CPUs of the case claim)',
      ).choices(['0', '1', '2', '3']),
    )
    .option('--json', 'print it as JSON')
    .action(async (name, options) => finish(await bbm(name, options)));
};
