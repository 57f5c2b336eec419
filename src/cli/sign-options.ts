// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { scenariosNamed } from '../../harness/laboratory/plan.ts';
import { runsFolder } from '../../harness/laboratory/run-record.ts';
import { storeHelp } from '../../harness/laboratory/store-file.ts';
import { readCaseLines } from '../../results/run-folder.ts';
import { type Sign, type SignVerdict, signVerdicts } from '../bisect/types.ts';
import type { CaseResult } from '../diff/types.ts';
import { PtdiffError } from '../errors.ts';
import { builtInScenario } from '../scenario/built-in.ts';
import type { Scenario } from '../scenario/types.ts';
import { positiveInteger } from './verb.ts';

/** Options for what to look for, and how often. */
export interface SignOptions {
  finding?: string;
  case?: string;
  verdict: SignVerdict;
  scenario?: string;
  repeat: number;
  qemu?: string;
  store?: string;
}

/** What to look for, and in which scenario. */
interface SoughtSign {
  sign: Sign;
  /** Name of the scenario or its file. */
  scenario: string;
  definition: Scenario;
}

export function addSignOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--finding <id>', 'the id of a finding; no other defect counts').conflicts('case'),
    )
    .option('--case <scenario>', 'a scenario: its verdict counts, see --verdict')
    .addOption(
      new Option(
        '--verdict <kind>',
        'with --case, what to look for: fail (a new finding), or died (hang or crash)',
      )
        .choices(signVerdicts)
        .default('fail')
        .conflicts('finding'),
    )
    .addOption(
      new Option(
        '--scenario <name|file>',
        'with --finding: where it shows (default: where the last run saw it)',
      ).conflicts('case'),
    )
    .option(
      '--repeat <n>',
      'number of boots without it that clear a kernel; for flaky findings',
      positiveInteger,
      1,
    )
    .option('--qemu <path>', 'your own QEMU instead of the pinned one')
    .option('--store <file>', storeHelp);
}

/** Cases of a folder; a damaged folder, or one that is not a run, contributes none. */
function casesOf(folder: string): CaseResult[] {
  try {
    return readCaseLines(folder);
  } catch (error) {
    if (error instanceof PtdiffError) return [];
    throw error;
  }
}

/** A built-in scenario in which the newest run below results/runs found something. */
function scenarioOfFinding(id: string): string | undefined {
  let runs: string[] = [];
  try {
    runs = readdirSync(runsFolder).sort().reverse();
  } catch {
    return undefined;
  }
  for (const run of runs) {
    const seen = casesOf(join(runsFolder, run)).find(
      ({ findings, scenario }) =>
        findings.some((finding) => finding.id === id) && builtInScenario(scenario) !== undefined,
    );
    if (seen) return seen.scenario;
  }
  return undefined;
}

/**
 * @throws PtdiffError(usage) when there is nothing to look for, or no single scenario to look in
 */
export async function soughtSign(options: SignOptions): Promise<SoughtSign> {
  const { finding } = options;
  if (finding === undefined && options.case === undefined)
    throw new PtdiffError('usage', 'Name what to look for: --finding ID, or --case SCENARIO.');
  if (finding !== undefined && !/^(mismatch|invariant|splat)\/[^/]+/.test(finding))
    throw new PtdiffError(
      'usage',
      `'${finding}' is not the id of a finding; ./ptdiff show CASE prints them.`,
    );
  const scenario =
    finding === undefined ? options.case : (options.scenario ?? scenarioOfFinding(finding));
  if (scenario === undefined)
    throw new PtdiffError(
      'usage',
      `No run below ${runsFolder} saw ${finding}; name a --scenario that shows it.`,
    );
  const [definition, ...others] = await scenariosNamed(scenario);
  if (!definition || others.length > 0)
    throw new PtdiffError('usage', 'A bisection is about one scenario; name one.');
  const sign = finding === undefined ? { verdict: options.verdict } : { finding };
  return { sign, scenario, definition };
}
