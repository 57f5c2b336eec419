// SPDX-License-Identifier: GPL-2.0-only
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { create } from 'tar';
import { exists, sha256File, withScratch } from '../../host/cache.ts';
import { explainDiskFull } from '../../host/disk-space.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { type CaseInputs, loadBlobs } from '../../results/case-inputs.ts';
import { type ArchivedCase, caseInputsSchema } from '../../results/repro-schema.ts';
import { caseFiles, complaint } from '../../results/run-folder.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { RunRecord } from '../../src/report/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { packedFiles, packedReproScript } from './packed-repro.ts';

/** Names in an archive besides the `packedFiles`. */
export const archiveFiles = {
  manifest: 'case.json',
  script: 'repro.sh',
  evidence: 'evidence',
} as const;

/**
 * zstd's compression level: half a second more than the default, for an Image that is a fifth
 * smaller.
 */
const level = 9;

/** A case that has ended, and the folder of its files. */
export interface EndedCase {
  result: CaseResult;
  /** cases/CASE of its run folder. */
  directory: string;
  ptdiff: RunRecord['ptdiff'];
}

/** @throws PtdiffError(usage) when the case has none, or when another version wrote them */
async function readInputs(directory: string): Promise<CaseInputs> {
  const path = join(directory, caseFiles.inputs);
  if (!(await exists(path))) {
    throw new PtdiffError(
      'usage',
      `${directory} has no ${caseFiles.inputs}: run the case again with this ptdiff.`,
    );
  }
  try {
    return caseInputsSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw new PtdiffError('usage', `${path} cannot be used: ${complaint(error)}.`, {
      cause: error,
    });
  }
}

/** Files below a folder, by their relative paths. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Copies a file that the case was run with. */
async function copyInput(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((cause) => {
    throw new PtdiffError(
      'image',
      `Cannot pack ${from}, which the case was run with: ${complaint(cause)}.`,
      { cause },
    );
  });
}

/** Copies a file that must be unchanged since the case was run with it. */
async function copyChecked(from: string, to: string, sha256: string): Promise<void> {
  await copyInput(from, to);
  if ((await sha256File(to)) === sha256) return;
  throw new PtdiffError(
    'image',
    `${from} is no longer the file that the case was run with; run the case again.`,
  );
}

/** Copies kernel, initial RAM disk and blobs; returns the hashes of the copies. */
async function stageMachine(
  inputs: CaseInputs,
  folder: string,
): Promise<Partial<Record<keyof typeof packedFiles, string>>> {
  const at = (file: keyof typeof packedFiles) => join(folder, packedFiles[file]);
  const { kernel, initramfs, blobs } = inputs;
  const { deviceTree, monitor, deviceData } = loadBlobs(blobs);
  await copyChecked(kernel.imagePath, at('kernel'), kernel.sha256);
  await copyChecked(initramfs.path, at('initramfs'), initramfs.sha256);
  if (kernel.configPath !== undefined) await copyInput(kernel.configPath, at('config'));
  if (deviceTree) await writeFile(at('deviceTree'), deviceTree);
  if (monitor) await writeFile(at('flash'), monitor.flash);
  if (deviceData) await writeFile(at('deviceData'), deviceData);
  const hashes: Partial<Record<keyof typeof packedFiles, string>> = {};
  for (const file of Object.keys(packedFiles) as (keyof typeof packedFiles)[]) {
    if (await exists(at(file))) hashes[file] = await sha256File(at(file));
  }
  return hashes;
}

/** Prediction, evidence and console; not the files that contain paths of this host. */
async function stageEvidence(directory: string, folder: string): Promise<void> {
  for (const file of await filesBelow(directory)) {
    if (file === caseFiles.inputs || file === caseFiles.repro) continue;
    const target = join(folder, archiveFiles.evidence, file);
    makeFolder(dirname(target));
    await copyFile(join(directory, file), target);
  }
}

async function stage({ result, directory, ptdiff }: EndedCase, folder: string): Promise<void> {
  const inputs = await readInputs(directory);
  const { scenarioVersion, scenario, cpu, commandLine, emulator } = inputs;
  const { imagePath: _image, configPath: _config, ...kernel } = inputs.kernel;
  const sha256 = await stageMachine(inputs, folder);
  await stageEvidence(directory, folder);
  const blobs = loadBlobs(inputs.blobs);
  const machine = { machine: scenario.machine, cpu, commandLine };
  const script = packedReproScript({ name: result.case, machine, sha256, emulator, ...blobs });
  await writeFile(join(folder, archiveFiles.script), script);
  const files: Record<string, string> = {};
  for (const file of await filesBelow(folder)) files[file] = await sha256File(join(folder, file));
  const { flash: _flash, ...monitor } = inputs.blobs.monitor ?? { flash: '' };
  const manifest: ArchivedCase = {
    ...{ schema: 1, ptdiff, result, kernel, cpu, commandLine, emulator, files },
    ...{ scenarioVersion, scenario },
    ...('places' in monitor && { monitor }),
  };
  await writeFile(join(folder, archiveFiles.manifest), `${stableJson(manifest, 1)}\n`);
}

/** The bytes depend only on the contents: names are sorted, and there are no owners and times. */
async function compress(
  scratch: string,
  folder: string,
  output: string,
  signal: AbortSignal,
): Promise<void> {
  const files = await filesBelow(join(scratch, folder));
  for (const file of files)
    await chmod(join(scratch, folder, file), file === archiveFiles.script ? 0o755 : 0o644);
  const names = files.map((file) => `./${folder}/${file}`);
  const archive = create(
    { cwd: scratch, portable: true, mtime: new Date(0), noDirRecurse: true, strict: true },
    names,
  );
  const zstd = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  // A unique name, since two processes may write the same archive.
  const arriving = `${output}.${randomUUID()}.new`;
  try {
    await pipeline(archive, zstd, createWriteStream(arriving, { flush: true }), { signal });
    await rename(arriving, output);
  } catch (error) {
    signal.throwIfAborted();
    const full = /ENOSPC|EDQUOT/.test(complaint(error));
    const why = full ? 'no space left on the disk; free some and pack again' : complaint(error);
    throw new PtdiffError('host', `Cannot write ${output}: ${why}.`, { cause: error });
  } finally {
    await rm(arriving, { force: true });
  }
}

/**
 * Packs a case into one file (tar, zstd): kernel, initial RAM disk, firmware and device tree, a
 * script that boots them by QEMU alone, scenario, prediction, evidence and findings, with all
 * hashes. The same case gives the same bytes.
 *
 * @param output path of the archive; it exists only once the archive is complete
 * @throws PtdiffError; the signal's reason when it was aborted
 */
export async function packCase(
  ended: EndedCase,
  output: string,
  signal: AbortSignal,
): Promise<void> {
  const name = ended.result.case;
  try {
    await withScratch(async (scratch) => {
      await mkdir(join(scratch, name));
      await stage(ended, join(scratch, name));
      signal.throwIfAborted();
      await compress(scratch, name, output, signal);
    });
  } catch (error) {
    throw await explainDiskFull(error, `the archive of ${name}`);
  }
}
