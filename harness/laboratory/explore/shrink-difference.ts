// SPDX-License-Identifier: GPL-2.0-only
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { replaceFile } from '../../../host/host-file.ts';
import { say } from '../../../host/say.ts';
import type {
  DrawnMachine,
  Exploration,
  FoundDifference,
} from '../../../results/exploration-file.ts';
import { countText } from '../../../src/diff/text.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { shellWord } from '../../../src/report/export/mail-layout.ts';
import { shrink } from '../../../src/scenario/random/draw.ts';
import type { Scenario } from '../../../src/scenario/types.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { runMatrix } from '../run-matrix.ts';
import { canRun, named } from './draw-part.ts';
import { requestOf } from './run-part.ts';

/** Boots that the search for one smallest scenario may take. */
const mostBoots = 40;

/** What a search works with. */
export interface ShrinkSetting {
  exploration: Exploration;
  kernel: LoadedKernel;
  /** The exploration's folder. */
  out: string;
  jobs: number;
  qemu?: string;
  signal: AbortSignal;
}

/** Findings of a case that no known issue explains. */
export function unexplained({ verdict, findings }: CaseResult): string[] {
  if (!['fail', 'hang', 'crash'].includes(verdict)) return [];
  return findings.filter(({ known }) => known === undefined).map(({ id }) => id);
}

/** A finding's id as the name of a file. */
const fileName = (finding: string, scenario: string): string =>
  `${finding.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60)}-${scenario}.yaml`;

/** The scenario as a file that `run`, `bisect`, `compare` and `repro` take. */
function scenarioText(
  { kernel, finding }: Pick<FoundDifference, 'kernel' | 'finding'>,
  scenario: Scenario,
  file: string,
): string {
  return [
    `# ${finding}`,
    `# ./ptdiff run --kernel ${shellWord(kernel)} --scenario ${shellWord(file)}`,
    stringify(scenario),
  ].join('\n');
}

/** Boots one scenario, and says whether it shows a finding; the last boot that does is kept. */
async function shows(
  scenario: Omit<Scenario, 'name'>,
  finding: string,
  folder: string,
  { kernel, jobs, qemu, signal }: ShrinkSetting,
): Promise<boolean> {
  signal.throwIfAborted();
  const machine = { scenario: named(scenario), kernel: kernel.image.spec };
  if (!canRun(kernel, machine.scenario)) return false;
  const out = join(folder, machine.scenario.name);
  const { cases } = await runMatrix(
    requestOf([machine], out, { jobs, ...(qemu !== undefined && { qemu }) }),
    signal,
  );
  signal.throwIfAborted();
  return cases.some((result) => unexplained(result).includes(finding));
}

/**
 * Searches the smallest scenario that still shows a finding, and keeps it as a file.
 * @throws the signal's reason, when it ends the search
 */
export async function shrinkDifference(
  machine: DrawnMachine,
  finding: string,
  setting: ShrinkSetting,
): Promise<FoundDifference> {
  const { exploration, out } = setting;
  const found = { finding, kernel: machine.kernel, machine: machine.scenario.name };
  say(`${finding} on ${machine.kernel}: looking for the smallest machine that shows it`);
  const folder = join(out, 'smaller', machine.scenario.name);
  const { name: _, ...scenario } = machine.scenario;
  const drawn = { ...machine, scenario };
  const shrunk = await shrink(drawn, exploration.kernels, mostBoots, (each) =>
    shows(each, finding, folder, setting),
  );
  rmSync(folder, { recursive: true, force: true });
  if (!shrunk) {
    say(`${finding}: a second boot of ${machine.scenario.name} did not show it`);
    return { ...found, again: false };
  }
  const smallest = named(shrunk.scenario);
  const file = join(out, fileName(finding, smallest.name));
  replaceFile(file, scenarioText(found, smallest, file));
  say(`${finding}: ${file}, after ${countText(shrunk.boots, 'boot')}`);
  return {
    ...found,
    again: true,
    smallest: { scenario: smallest, file: basename(file), boots: shrunk.boots },
  };
}
