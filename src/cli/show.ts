import { readDossier } from '../../results/run-folder.ts';
import { paintOptions } from '../report/colour.ts';
import { formatCase } from '../report/terminal-case.ts';
import { stableJson } from '../stable-json.ts';
import { locateCase, outOption } from './locate-case.ts';
import type { Verb } from './verb.ts';

/** `ptdiff show CASE`. */
async function show(given: string, options: { out?: string; json?: boolean }): Promise<number> {
  const { folder, result } = await locateCase(given, options.out);
  const dossier = readDossier(folder, result.case);
  const text = options.json
    ? `${stableJson(result, 1)}\n`
    : formatCase(result, dossier, paintOptions(process.stdout, process.env));
  process.stdout.write(text);
  return 0;
}

export const addShow: Verb = (command, { finish }) => {
  command
    .argument('<case>', 'its name in the newest run, or its folder')
    .option(...outOption)
    .option('--json', 'print its result as JSON')
    .action(async (name, options) => finish(await show(name, options)));
};
