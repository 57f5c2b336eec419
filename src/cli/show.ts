// SPDX-License-Identifier: GPL-2.0-only
import { notLookedAtBy, readDossier, readRunRecord } from '../../results/run-folder.ts';
import type { CaseResult } from '../diff/types.ts';
import { PtdiffError } from '../errors.ts';
import { paintOptions } from '../report/colour.ts';
import { formatCase } from '../report/terminal-case.ts';
import { formatMaps } from '../report/terminal-map.ts';
import type { CaseDossier } from '../report/types.ts';
import { stableJson } from '../stable-json.ts';
import { locateCase, outOption } from './locate-case.ts';
import { addressOf, type Verb } from './verb.ts';

interface ShowOptions {
  out?: string;
  json?: boolean;
  map?: boolean;
  at?: bigint;
  checkpoint?: string;
}

/** `ptdiff show CASE`. */
async function show(given: string, options: ShowOptions): Promise<number> {
  const { folder, result } = await locateCase(given, options.out);
  const dossier = {
    ...readDossier(folder, result.case),
    ...notLookedAtBy(readRunRecord(folder), result.case),
  };
  process.stdout.write(answer(result, dossier, options));
  return 0;
}

function answer(
  result: CaseResult,
  dossier: CaseDossier,
  { json, map, at, checkpoint }: ShowOptions,
): string {
  if (json) return `${stableJson(result, 1)}\n`;
  const paint = paintOptions(process.stdout, process.env);
  if (!map && at === undefined) return formatCase(result, dossier, paint);
  if (dossier.drawings.length === 0) return `${noMap(result)}\n`;
  const reached = dossier.drawings.map((drawing) => drawing.checkpoint);
  if (checkpoint !== undefined && !reached.some((name) => name === checkpoint))
    throw new PtdiffError(
      'usage',
      `The case has no checkpoint '${checkpoint}'; it has ${reached.join(', ') || 'none'}.`,
    );
  return formatMaps(dossier.drawings, {
    ...paint,
    ...(checkpoint && { checkpoint }),
    ...(at !== undefined && { at }),
  });
}

/** Why there is no map, and where else to look. */
function noMap({ linearMap }: CaseResult): string {
  return linearMap.live !== undefined
    ? "There is no map with addresses: of the tables only the kernel's own dump was read; it is in the folder of the case, files/kernel_page_tables."
    : 'There is no map: no tables of the case were read.';
}

export const addShow: Verb = (command, { finish }) => {
  command
    .argument('<case>', 'its name in the newest run, or its folder')
    .option(...outOption)
    .option(
      '--map',
      'its linear map in the style of ptdump, with prediction and result side by side',
    )
    .option(
      '--at <address>',
      'the line of that map that contains an address, at each checkpoint',
      addressOf,
    )
    .option('--checkpoint <name>', 'at this checkpoint only')
    .option('--json', 'print its result as JSON')
    .action(async (name, options) => finish(await show(name, options)));
};
