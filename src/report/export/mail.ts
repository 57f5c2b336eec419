// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../../diff/boot-end.ts';
import { countText, unwrap } from '../../diff/text.ts';
import type { CaseResult, Finding } from '../../diff/types.ts';
import type { CheckpointName } from '../../evidence/capture.ts';
import type { Splat } from '../../linux/splats.ts';
import type { Scenario } from '../../scenario/types.ts';
import { stableJson } from '../../stable-json.ts';
import { caseCommand, lastingSpec } from '../commands.ts';
import type { CaseDossier, KernelIdentity } from '../types.ts';
import type { ChosenFinding } from './choose-finding.ts';
import {
  block,
  headerField,
  paragraph,
  runWords,
  section,
  shellLines,
  verbatim,
  wholeWord,
} from './mail-layout.ts';
import type { RunResults } from './outline.ts';
import { cutSplat } from './splat-text.ts';

/** The data for a mail about a finding. All of it was observed or derived; nothing is made up. */
export interface MailMaterial extends ChosenFinding {
  dossier: CaseDossier;
  /** The guest's /proc/cmdline. */
  commandLine?: string;
  /** The kernel's complaint, where the finding is one. */
  splat?: Splat;
  /** Whether the scenario is built into every ptdiff under its name. */
  builtIn: boolean;
}

const kinds: Record<Finding['kind'], string> = {
  mismatch: 'a difference between the page tables and what a model of arch/arm64/mm predicts',
  invariant: 'page tables that are wrong under any logic',
  update: 'a change of a live page table that the architecture does not allow',
  splat: 'a complaint of the kernel',
};

const instants: Record<CheckpointName, string> = {
  paging_init: 'at the return of paging_init()',
  before_split: 'at the entry of linear_map_maybe_split_to_ptes()',
  after_split: 'at the return of linear_map_maybe_split_to_ptes()',
  smp_cpus_done: 'at the return of smp_cpus_done()',
  free_initmem: 'at free_initmem()',
  init: 'when init is ready',
  live: 'in operation',
};

function summary({ run }: RunResults, { finding }: MailMaterial): string[] {
  const { version, commit } = run.ptdiff;
  const tool = `ptdiff ${version}${commit === undefined ? '' : ` (${commit})`}`;
  const when = finding.checkpoint === undefined ? '' : `, ${instants[finding.checkpoint]}`;
  return [
    ...paragraph(`${tool} found ${kinds[finding.kind]}${when}:`),
    '',
    ...paragraph(finding.title, '  '),
    `  (${wholeWord(finding.id)})`,
    '',
  ];
}

function setting(
  { run }: RunResults,
  { result, commandLine }: MailMaterial,
  kernel: KernelIdentity | undefined,
): string[] {
  const scenario = run.scenarios.find(({ name }) => name === result.scenario);
  const { cpu, cpus, others, memory, world, firmware } = scenario?.machine ?? {};
  const machine = scenario && [
    `${cpus} CPU (${[cpu, ...(others ?? [])].join(', ')})`,
    `${memory} MiB`,
    `${world} world${firmware === undefined ? '' : ` on ${firmware}`}`,
  ];
  const version =
    kernel && kernel.version !== result.kernel.release ? `, version ${kernel.version}` : '';
  return [
    ...paragraph(`${result.kernel.release}${version}, Image with sha256`, 'Kernel:     '),
    ...paragraph(result.kernel.sha256, '  '),
    ...paragraph(`${result.scenario}${machine ? `: ${machine.join(', ')}` : ''}`, 'Scenario:   '),
    ...paragraph(`QEMU ${run.emulator.version}, virt machine, TCG`, 'Emulator:   '),
    ...(commandLine === undefined ? [] : paragraph(commandLine, 'Parameters: ')),
    '',
  ];
}

function releases(cases: readonly CaseResult[]): string {
  return [...new Set(cases.map(({ kernel }) => kernel.release))].join(', ');
}

/**
 * Other kernels with the same scenario, and other scenarios on the same kernel. A case that cannot
 * tell counts for neither.
 */
function reach({ cases }: RunResults, { finding, result }: MailMaterial): string[] {
  const told = cases.filter((each) => shows(each, finding.id) !== undefined);
  const showing = (each: CaseResult) => shows(each, finding.id) === true;
  const sameScenario = told.filter(({ scenario }) => scenario === result.scenario);
  const free = sameScenario.filter((each) => !showing(each));
  const sameKernel = told.filter(({ kernel }) => kernel.sha256 === result.kernel.sha256);
  return [
    ...paragraph(
      `Under this scenario it shows on ${releases(sameScenario.filter(showing))}.`,
      '  ',
    ),
    ...(free.length === 0 ? [] : paragraph(`It does not show on ${releases(free)}.`, '  ')),
    ...paragraph(
      `On this kernel it shows in ${sameKernel.filter(showing).length} of ${countText(sameKernel.length, 'scenario')}.`,
      '  ',
    ),
  ];
}

function others({ result, finding }: MailMaterial): string[] {
  const titles = result.findings
    .filter(({ id }) => id !== finding.id)
    .map(({ title, known }) => `${title}${known === undefined ? '' : ` (known: ${known})`}`);
  return [...new Set(titles)].flatMap((title) => paragraph(title, '  - '));
}

function evidence({ finding, splat }: MailMaterial): string[] {
  return splat === undefined ? block(unwrap(finding.detail)) : verbatim(cutSplat(splat));
}

function derivation({ dossier }: MailMaterial): string[] {
  const steps = (dossier.derivation ?? []).map(({ where, outcome }) => `${where}: ${outcome}`);
  return [...new Set(steps)].flatMap((step) => paragraph(step, '  '));
}

/**
 * The folder of the boot that a mail asks for, so that its second command finds the result of the
 * first one.
 */
const again = 'again';

function reproduction(
  { run }: RunResults,
  material: MailMaterial,
  kernel: KernelIdentity | undefined,
): string[] {
  const { result, builtIn } = material;
  const scenario: Scenario | undefined = run.scenarios.find(({ name }) => name === result.scenario);
  const file = `${result.scenario}.json`;
  const words = runWords(lastingSpec(kernel, result.kernel.spec), builtIn ? result.scenario : file);
  return [
    ...shellLines([...words, `--out ${again}`]),
    ...(builtIn || scenario === undefined
      ? []
      : ['', `with this ${file}:`, '', ...block(stableJson(scenario, 1))]),
    '',
    ...paragraph('Without ptdiff, by QEMU alone, from the archive that this command packs:'),
    '',
    ...shellLines([caseCommand('repro pack', result.case, undefined), `--out ${again}`]),
  ];
}

function knownIssue({ knownIssues }: RunResults, { finding }: MailMaterial): string[] {
  if (finding.known === undefined) return [];
  const issue = knownIssues.find(({ id }) => id === finding.known);
  if (issue === undefined) return paragraph(finding.known, '  ');
  return [
    ...paragraph(`${issue.id}: ${issue.title}`, '  '),
    '',
    ...paragraph(issue.cause, '  '),
    '',
    ...issue.references.flatMap((reference) => paragraph(reference, '  - ')),
  ];
}

/** Lines for programs at the end, as in git-format-patch; only what is known. */
function trailers(
  { knownIssues }: RunResults,
  { finding }: MailMaterial,
  kernel: KernelIdentity | undefined,
): string[] {
  const issue = knownIssues.find(({ id }) => id === finding.known);
  const links = issue?.references.filter((reference) => /^https:\/\/\S+$/.test(reference)) ?? [];
  return [
    ...links.map((link) => `Link: ${link}`),
    ...(kernel?.commit === undefined ? [] : [`base-commit: ${kernel.commit}`]),
  ];
}

/**
 * A mail about a finding for a kernel list: plain ASCII, 72 columns, except for commands, addresses
 * and lines of the kernel's log, which are not broken. The subject is its first line, as `git
 * send-email` expects. Ends with a newline.
 */
export function formatMail(results: RunResults, material: MailMaterial): string {
  const { finding, result, splat } = material;
  const kernel = results.run.kernels.find(({ spec }) => spec === result.kernel.spec);
  const lines = [
    ...headerField('Subject', `[BUG] arm64: ${finding.title} (${result.kernel.release})`),
    '',
    ...summary(results, material),
    ...setting(results, material, kernel),
    ...section('Where it shows', reach(results, material)),
    ...section(
      splat === undefined ? 'Evidence' : 'Kernel log, cut to its call chain',
      evidence(material),
    ),
    ...section('The same boot also shows', others(material)),
    ...section('Decisions of the kernel, as the model derives them', derivation(material)),
    ...section('Reproduce', reproduction(results, material, kernel)),
    ...section('Known issue', knownIssue(results, material)),
    ...paragraph(
      'The tables were read from guest memory under TCG with all CPUs stopped: this says nothing of TLB behaviour on hardware.',
    ),
    ...trailers(results, material, kernel).flatMap((line, index) =>
      index === 0 ? ['', line] : [line],
    ),
  ];
  return `${lines.join('\n')}\n`;
}
