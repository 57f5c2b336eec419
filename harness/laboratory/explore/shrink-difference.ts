// SPDX-License-Identifier: GPL-2.0-only
import { rmSync } from 'node:fs';
import { join } from 'node:path';
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
import { type Manner, requestOf } from './run-part.ts';

/** Boots that the search for one smallest scenario may take. */
const mostBoots = 40;

/** What a search works with. */
export interface ShrinkSetting {
  exploration: Exploration;
  kernel: LoadedKernel;
  /** The exploration's folder. */
  out: string;
  manner: Manner;
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

/** Boots one scenario, and says which findings it shows that no known issue explains. */
async function findingsOf(
  scenario: Scenario,
  folder: string,
  { kernel, manner, signal }: ShrinkSetting,
): Promise<string[]> {
  signal.throwIfAborted();
  const machine = { scenario, kernel: kernel.image.spec };
  if (!canRun(kernel, scenario)) return [];
  const out = join(folder, scenario.name);
  const { cases } = await runMatrix(requestOf([machine], out, manner), signal);
  signal.throwIfAborted();
  return cases.flatMap(unexplained);
}

/**
 * Searches the smallest scenario that still shows a finding, and keeps it as a file.
 * @returns the finding, and what else of the machine's findings that scenario shows: one defect has
 * many
 * @throws the signal's reason, when it ends the search
 */
export async function shrinkDifference(
  machine: DrawnMachine,
  finding: string,
  setting: ShrinkSetting,
): Promise<FoundDifference[]> {
  const { exploration, out } = setting;
  const { name, ...scenario } = machine.scenario;
  say(`${finding} on ${machine.kernel}: looking for the smallest machine that shows it`);
  const folder = join(out, 'smaller', name);
  const shown = new Map<string, string[]>();
  const shrunk = await shrink(
    { ...machine, scenario },
    exploration.kernels,
    mostBoots,
    async (each) => {
      const smaller = named(each);
      const findings = await findingsOf(smaller, folder, setting);
      shown.set(smaller.name, findings);
      return findings.includes(finding);
    },
  );
  rmSync(folder, { recursive: true, force: true });
  const found = { kernel: machine.kernel, machine: name };
  if (!shrunk) {
    say(`${finding}: a second boot of ${name} did not show it`);
    return [{ ...found, finding, again: false }];
  }
  const smallest = named(shrunk.scenario);
  const file = fileName(finding, smallest.name);
  replaceFile(join(out, file), scenarioText({ ...found, finding }, smallest, join(out, file)));
  say(`${finding}: ${join(out, file)}, after ${countText(shrunk.boots, 'boot')}`);
  const shownBefore = shown.get(name) ?? [];
  return (shown.get(smallest.name) ?? [])
    .filter((each) => each === finding || shownBefore.includes(each))
    .map((each) => ({
      ...found,
      finding: each,
      again: true,
      smallest: { scenario: smallest, file, boots: shrunk.boots },
    }));
}
