// SPDX-License-Identifier: GPL-2.0-only
import { storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import {
  caseNames,
  findingNames,
  findingText,
  readLooks,
  scenarioNames,
  scenariosShowing,
} from '../../results/store/read-looks.ts';
import { openStoreThatIs, type Store } from '../../results/store/store.ts';
import { PtdiffError } from '../errors.ts';
import { findName } from '../history/find-name.ts';
import { findingLife } from '../history/finding-life.ts';
import { scenarioLife } from '../history/scenario-life.ts';
import { type PaintOptions, paintOptions } from '../report/colour.ts';
import { formatFindingLife, formatScenarioLife } from '../report/terminal-history.ts';
import { stableJson } from '../stable-json.ts';
import { suggest } from '../suggest.ts';
import type { Verb } from './verb.ts';

const namesShown = 8;

/** The only name in the store that a shortened one can mean. */
function resolveName(shortened: string, path: string, names: string[]): string {
  const match = findName(shortened, names);
  if (match.kind === 'one') return match.name;
  if (match.kind === 'none') {
    throw new PtdiffError(
      'usage',
      `${path} knows no finding, scenario or case '${shortened}'.${suggest(shortened, names)}`,
    );
  }
  const shown = match.names.slice(0, namesShown).join(', ');
  const more =
    match.names.length > namesShown ? ` and ${match.names.length - namesShown} more` : '';
  throw new PtdiffError('usage', `'${shortened}' may mean ${shown}${more}; write more of it.`);
}

/** The result as text and as data. */
function answer(
  store: Store,
  shortened: string,
  options: PaintOptions,
): { text: string; data: unknown } {
  const findings = findingNames(store);
  const cases = caseNames(store);
  const name = resolveName(shortened, store.path, [
    ...findings,
    ...scenarioNames(store),
    ...cases.keys(),
  ]);
  if (findings.includes(name)) {
    const life = findingLife(name, readLooks(store, { scenarios: scenariosShowing(store, name) }));
    const text = findingText(store, name);
    if (life && text)
      return { text: formatFindingLife(life, text, options), data: { ...life, text } };
    throw new PtdiffError(
      'usage',
      `${name} was seen once, but a later run of the same case replaced that result.`,
    );
  }
  const scenario = cases.get(name) ?? name;
  const looks = readLooks(store, { scenarios: [scenario] });
  const life = scenarioLife(
    name,
    cases.has(name) ? looks.filter((look) => look.case === name) : looks,
  );
  return { text: formatScenarioLife(life, options), data: life };
}

/** `ptdiff history`. */
async function history(
  shortened: string,
  options: { store?: string; json?: boolean },
): Promise<number> {
  using store = await openStoreThatIs(storeFile(options.store));
  const { text, data } = answer(store, shortened, paintOptions(process.stdout, process.env));
  process.stdout.write(options.json ? `${stableJson(data, 1)}\n` : text);
  return 0;
}

export const addHistory: Verb = (command, { finish }) => {
  command
    .argument('<name>', 'a finding, scenario or case; enough of its name to be unique')
    .option('--store <file>', storeHelp)
    .option('--json', 'print it as JSON')
    .action(async (name, options) => finish(await history(name, options)));
};
