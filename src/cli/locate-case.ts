// SPDX-License-Identifier: GPL-2.0-only
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { runsFolder } from '../../harness/laboratory/run-record.ts';
import { readCaseLines } from '../../results/run-folder.ts';
import type { CaseResult } from '../diff/types.ts';
import { PtdiffError } from '../errors.ts';
import { suggest } from '../suggest.ts';

/** A case of a run folder. */
interface LocatedCase {
  /** The run folder. */
  folder: string;
  result: CaseResult;
}

/** The newest run folder below results/runs. */
async function newestRun(): Promise<string> {
  const names = await readdir(runsFolder).catch(() => []);
  const newest = names.sort().at(-1);
  if (newest === undefined)
    throw new PtdiffError(
      'usage',
      'There is no run yet; start one with ./ptdiff run, or name its folder with --out.',
    );
  return join(runsFolder, newest);
}

/**
 * Finds a case that was passed to a verb: by its folder, or by its name in the run folder `out`, by
 * default that of the newest run.
 * @throws PtdiffError(usage) when there is no such case
 */
export async function locateCase(given: string, out: string | undefined): Promise<LocatedCase> {
  const path = resolve(given);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const folder = isFolder ? dirname(dirname(path)) : resolve(out ?? (await newestRun()));
  const name = isFolder ? basename(path) : given;
  const cases = readCaseLines(folder);
  const result = cases.find((each) => each.case === name);
  if (result) return { folder, result };
  const meant = suggest(
    name,
    cases.map((each) => each.case),
  );
  throw new PtdiffError(
    'usage',
    `${folder} has no case '${name}'; cases.jsonl there names ${cases.length}.${meant}`,
  );
}

/** The option that gives a verb the run folder of a case. */
export const outOption = ['--out <dir>', 'the run folder (default: the newest run)'] as const;
