import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readCaseLines, readDossier } from '../../results/run-folder.ts';
import { PtdiffError } from '../errors.ts';
import { wantsColour } from '../report/colour.ts';
import { formatCase } from '../report/terminal-case.ts';
import { stableJson } from '../stable-json.ts';
import { repositoryRoot } from './run-record.ts';
import type { Verb } from './verb.ts';

/** The newest run folder below results/runs. */
async function newestRun(): Promise<string> {
  const runs = join(repositoryRoot, 'results', 'runs');
  const names = await readdir(runs).catch(() => []);
  const newest = names.sort().at(-1);
  if (newest === undefined)
    throw new PtdiffError('usage', 'There is no run yet; start one with ./ptdiff run, or name its folder with --out.');
  return join(runs, newest);
}

/** A case is named by its folder, or by its name in the newest run or in --out. */
async function locate(name: string, out: string | undefined): Promise<{ folder: string; name: string }> {
  const path = resolve(name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return { folder: dirname(dirname(path)), name: basename(path) };
  return { folder: out === undefined ? await newestRun() : resolve(out), name };
}

/** `ptdiff show CASE`. */
async function show(caseName: string, options: { out?: string; json?: boolean }): Promise<number> {
  const { folder, name } = await locate(caseName, options.out);
  const cases = await readCaseLines(folder);
  const result = cases.find((each) => each.case === name);
  if (!result)
    throw new PtdiffError('usage', `${folder} has no case '${name}'; cases.jsonl there names ${cases.length}.`);
  const dossier = await readDossier(folder, name);
  const text = options.json
    ? `${stableJson(result, 1)}\n`
    : formatCase(result, dossier, { colour: wantsColour(process.stdout, process.env) });
  process.stdout.write(text);
  return 0;
}

export const addShow: Verb = (program, { finish }) => {
  program
    .command('show')
    .description('one case: verdict, decisions, findings, derivation')
    .argument('<case>', 'its name in the newest run, or its folder')
    .option('--out <dir>', 'the run folder')
    .option('--json', 'print its result as JSON')
    .action(async (name, options) => finish(await show(name, options)));
};
