// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';
import { isBuiltIn } from '../scenario/built-in.ts';
import { runCommand, shellWord } from './export/mail-layout.ts';
import type { KernelIdentity, Report } from './types.ts';

/**
 * Commands that reports print. Each works as printed, in ptdiff's folder: a test runs them through
 * the command line.
 */

/** A verb with a case of a run; without `folder` it is the newest run. */
export function caseCommand(verb: string, name: string, folder: string | undefined): string {
  const out = folder === undefined ? '' : ` --out ${shellWord(folder)}`;
  return `./ptdiff ${verb} ${shellWord(name)}${out}`;
}

/**
 * A spec that always means the same kernel: 'debian:7.3' may be a newer one on another day, and a
 * branch may move.
 */
export function lastingSpec(kernel: KernelIdentity | undefined, spec: string): string {
  if (kernel?.commit !== undefined)
    return spec.replace(/@[^@{,]+(?:@\{[^}]*\})?(?=,|$)/, `@${kernel.commit.slice(0, 12)}`);
  if (kernel === undefined || !spec.startsWith('debian:')) return spec;
  return `debian:${kernel.version}${kernel.flavour === 'arm64' ? '' : `:${kernel.flavour}`}`;
}

/**
 * How to boot a case again: by ptdiff where the scenario is built in, otherwise by the script
 * beside the case.
 */
export function repeatCommand({ run, dossiers }: Report, result: CaseResult): string | undefined {
  const scenario = run.scenarios.find(({ name }) => name === result.scenario);
  const kernel = run.kernels.find(({ spec }) => spec === result.kernel.spec);
  if (scenario !== undefined && kernel !== undefined && isBuiltIn(scenario))
    return runCommand(lastingSpec(kernel, kernel.spec), scenario.name);
  return dossiers.get(result.case)?.repro;
}
