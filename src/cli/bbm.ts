// SPDX-License-Identifier: GPL-2.0-only
import { Option } from 'commander';
import { readEvidence } from '../../results/evidence-files.ts';
import { checkUpdates } from '../bbm/check-updates.ts';
import type { BbmLevel } from '../bbm/needs-break.ts';
import { formatUpdates } from '../report/terminal-updates.ts';
import { stableJson } from '../stable-json.ts';
import { field } from '../vmsa/bits.ts';
import { outOption } from './locate-case.ts';
import { locateRecording } from './locate-recording.ts';
import type { Verb } from './verb.ts';

interface BbmOptions {
  out?: string;
  level?: string;
  json?: boolean;
}

/** ID_AA64MMFR2_EL1.BBM of the CPU that claims least (DDI 0487 D24.2). */
function claimedLevel(directory: string): BbmLevel {
  const levels = readEvidence(directory).idRegisters.map(({ ID_AA64MMFR2_EL1: register = 0n }) =>
    field(register, 52, 4),
  );
  return Math.min(3, ...levels) as BbmLevel;
}

/** `ptdiff bbm CASE`. */
async function bbm(given: string, options: BbmOptions): Promise<number> {
  const { recording, directory } = await locateRecording(given, options.out);
  const level =
    options.level === undefined ? claimedLevel(directory) : (Number(options.level) as BbmLevel);
  const sites = checkUpdates(recording, level);
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
