// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { Option } from 'commander';
import { knownIssuesFolder } from '../../harness/laboratory/laboratory.ts';
import { replaceFile } from '../../host/host-file.ts';
import { readEvidence } from '../../results/evidence-files.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import { readDossier, readRunFolder, runFiles } from '../../results/run-folder.ts';
import { splatId } from '../diff/invariants/no-splat.ts';
import type { CaseResult } from '../diff/types.ts';
import { PtdiffError } from '../errors.ts';
import type { Evidence } from '../evidence/capture.ts';
import { findSplats, type Splat } from '../linux/splats.ts';
import { casemateTrace } from '../report/export/casemate.ts';
import { chooseFinding } from '../report/export/choose-finding.ts';
import { formatJunit } from '../report/export/junit.ts';
import { formatKcidb } from '../report/export/kcidb.ts';
import { formatKtap } from '../report/export/ktap.ts';
import { formatMail } from '../report/export/mail.ts';
import type { RunResults } from '../report/export/outline.ts';
import { isBuiltIn } from '../scenario/built-in.ts';
import { locateRecording } from './locate-recording.ts';
import type { Verb } from './verb.ts';

const formats = ['ktap', 'junit', 'kcidb', 'mail', 'casemate'] as const;

/** Options of `ptdiff export` as parsed. */
interface ExportOptions {
  format: (typeof formats)[number];
  finding?: string;
  origin?: string;
  output?: string;
}

/** The console of a case that did not pass may say why; the consoles of other cases are ignored. */
const troubled = ({ verdict }: CaseResult): boolean => verdict !== 'pass';

/** The complaint that a finding reports, with a call chain if any complaint of its kind has one. */
function splatOf({ console, files }: Evidence, id: string): Splat | undefined {
  const splats = [console, files.dmesg ?? '']
    .flatMap(findSplats)
    .filter((splat) => splatId(splat) === id);
  return splats.find(({ callChain }) => callChain.length > 0) ?? splats[0];
}

function mailOf(folder: string, results: RunResults, id: string | undefined): string {
  const chosen = chooseFinding(results.cases, id);
  const { finding, result } = chosen;
  const evidence = readEvidence(join(folder, runFiles.caseFolders, result.case));
  const scenario = results.run.scenarios.find(({ name }) => name === result.scenario);
  const commandLine = evidence.files['/proc/cmdline'];
  const splat = finding.kind === 'splat' ? splatOf(evidence, finding.id) : undefined;
  return formatMail(results, {
    ...chosen,
    dossier: readDossier(folder, result.case),
    ...(commandLine !== undefined && { commandLine }),
    ...(splat && { splat }),
    builtIn: scenario !== undefined && isBuiltIn(scenario),
  });
}

/** Refuses an option that does not apply to the format. */
function checkOptions({ format, finding, origin }: ExportOptions): void {
  if (finding !== undefined && format !== 'mail')
    throw new PtdiffError(
      'usage',
      `--finding chooses the subject of a mail; --format ${format} exports the whole run.`,
    );
  if (origin !== undefined && format !== 'kcidb')
    throw new PtdiffError(
      'usage',
      `--origin is a part of KCIDB's ids; --format ${format} has none.`,
    );
  if (origin !== undefined && !/^[a-z0-9_]+$/.test(origin))
    throw new PtdiffError(
      'usage',
      `--origin ${origin} is not a valid name for KCIDB: use lower-case letters, digits and '_'.`,
    );
}

/** `ptdiff export`: converts a run folder, or the recording of a case, to a foreign format. */
async function exportResults(given: string, options: ExportOptions): Promise<number> {
  checkOptions(options);
  const { format, output } = options;
  const text =
    format === 'casemate'
      ? casemateTrace((await locateRecording(given, undefined)).recording)
      : await exportRun(given, { ...options, format });
  if (output === undefined) process.stdout.write(text);
  else replaceFile(output, text);
  return 0;
}

type RunFormat = Exclude<ExportOptions['format'], 'casemate'>;

async function exportRun(
  folder: string,
  { format, finding, origin = 'ptdiff' }: ExportOptions & { format: RunFormat },
): Promise<string> {
  const wanted = format === 'kcidb' ? troubled : () => false;
  const results = readRunFolder(folder, await loadKnownIssues(knownIssuesFolder), wanted);
  const emitters: Record<RunFormat, () => string> = {
    ktap: () => formatKtap(results),
    junit: () => formatJunit(results),
    kcidb: () => formatKcidb(results, { origin }),
    mail: () => mailOf(folder, results, finding),
  };
  return emitters[format]();
}

export const addExport: Verb = (command, { finish }) => {
  command
    .argument('<dir>', 'the run folder; for casemate a recorded case, by its name or folder')
    .addOption(
      new Option('--format <format>', 'what to write').choices(formats).makeOptionMandatory(),
    )
    .option('--finding <id>', 'the finding for a mail (default: the only new one)')
    .option('--origin <name>', "the reporting system's name in KCIDB's ids (default: ptdiff)")
    .option('--output <file>', 'where to write it (default: standard output)')
    .action(async (folder, options) => finish(await exportResults(folder, options)));
};
