// SPDX-License-Identifier: GPL-2.0-only
import { cp } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { knownIssuesFolder } from '../../harness/laboratory/laboratory.ts';
import { describeKernel, type LoadedKernel } from '../../harness/laboratory/loaded-kernel.ts';
import {
  initramfsOf,
  type OpenedCase,
  readBlobs,
  withArchivedCase,
} from '../../harness/laboratory/open-case.ts';
import { archiveFiles, packCase } from '../../harness/laboratory/pack-case.ts';
import { packedFiles } from '../../harness/laboratory/packed-repro.ts';
import { runCase } from '../../harness/laboratory/run-case.ts';
import { withScratch } from '../../host/cache.ts';
import { withLockedFolder } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { type Emulator, packagedEmulator, userEmulator } from '../../images/emulator/emulator.ts';
import { readJudgedBoot } from '../../results/judged-boot.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import { caseFiles, readRunRecord, runFiles } from '../../results/run-folder.ts';
import { compareReplay, isReproduced } from '../diff/compare-replay.ts';
import { paintOptions } from '../report/colour.ts';
import { formatReplay } from '../report/replay.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import { locateCase, outOption } from './locate-case.ts';
import type { Verb } from './verb.ts';

/** `ptdiff repro pack CASE`. */
async function pack(
  given: string,
  options: { out?: string; output?: string },
  signal: AbortSignal,
): Promise<number> {
  const { folder, result } = await locateCase(given, options.out);
  const output = resolve(options.output ?? `${result.case}.tar.zst`);
  const directory = join(folder, runFiles.caseFolders, result.case);
  await packCase({ result, directory, ptdiff: readRunRecord(folder).ptdiff }, output, signal);
  process.stdout.write(`${output}\n`);
  return exitCodes.pass;
}

/** The user's QEMU, or the packaged one of the version that the case ran with. */
async function emulatorFor({ emulator }: OpenedCase, path: string | undefined): Promise<Emulator> {
  const chosen =
    path === undefined
      ? await packagedEmulator({ version: emulator.version, progress: say })
      : await userEmulator(path);
  if (chosen.sha256 !== emulator.sha256) {
    say(
      `this QEMU ${chosen.version} (${chosen.origin}) is not the one of the case, ${emulator.version} (${emulator.origin})`,
    );
  }
  return chosen;
}

function kernelOf({ kernel, files, folder }: OpenedCase): Promise<LoadedKernel> {
  const config =
    files[packedFiles.config] === undefined ? {} : { configPath: join(folder, packedFiles.config) };
  return describeKernel({
    ...kernel,
    imagePath: join(folder, packedFiles.kernel),
    ...config,
    notes: [],
  });
}

/** The paths in these files no longer exist when the command ends. */
const lasting = (path: string): boolean =>
  basename(path) !== caseFiles.inputs && basename(path) !== caseFiles.repro;

interface ReplayOptions {
  qemu?: string;
  keep?: string;
  json?: boolean;
}

async function replay(
  opened: OpenedCase,
  directory: string,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<number> {
  const { result, scenario, cpu, commandLine, folder } = opened;
  const emulator = await emulatorFor(opened, options.qemu);
  signal.throwIfAborted();
  const laboratory = {
    emulator,
    initramfs: initramfsOf(opened),
    knownIssues: await loadKnownIssues(knownIssuesFolder),
  };
  const again = { cpu, commandLine, blobs: await readBlobs(opened) };
  const each = {
    name: result.case,
    kernel: await kernelOf(opened),
    scenario,
    directory,
    replay: again,
  };
  const replayed = await runCase(laboratory, each, signal);
  const { keep } = options;
  if (keep !== undefined)
    await withLockedFolder(
      resolve(keep),
      () => cp(directory, keep, { recursive: true, filter: lasting }),
      { signal },
    );
  const recorded = readJudgedBoot(join(folder, archiveFiles.evidence), result);
  const comparison = compareReplay(recorded, readJudgedBoot(directory, replayed));
  process.stdout.write(
    options.json
      ? `${stableJson(comparison, 1)}\n`
      : formatReplay(result.case, comparison, paintOptions(process.stdout, process.env)),
  );
  return isReproduced(comparison) ? exitCodes.pass : exitCodes.findings;
}

/** `ptdiff repro run ARCHIVE`. */
async function run(archive: string, options: ReplayOptions, signal: AbortSignal): Promise<number> {
  return withArchivedCase(archive, (opened) =>
    withScratch((directory) => replay(opened, directory, options, signal)),
  );
}

export const addRepro: Verb = (repro, { signal, finish }) => {
  repro
    .command('pack')
    .description(
      'kernel, initial RAM disk, firmware, scenario, prediction, evidence and a script that needs only QEMU',
    )
    .argument('<case>', 'its name in the newest run, or its folder')
    .option(...outOption)
    .option('--output <file>', 'the archive (default: CASE.tar.zst here)')
    .action(async (name, options) => finish(await pack(name, options, signal)));
  repro
    .command('run')
    .description(
      'boot a packed case and compare with the recording; exit code 0: same findings, 1: different ones',
    )
    .argument('<archive>', 'a file written by repro pack')
    .option('--qemu <path>', 'your own QEMU instead of the version that the case was run with')
    .option('--keep <dir>', 'folder for the prediction and evidence of this boot')
    .option('--json', 'print the comparison as JSON')
    .action(async (archive, options) => finish(await run(archive, options, signal)));
};
