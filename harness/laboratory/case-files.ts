// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { writeText } from '../../host/host-file.ts';
import { type CaseInputs, storeBlobs } from '../../results/case-inputs.ts';
import { writeEvidence } from '../../results/evidence-files.ts';
import { caseFiles } from '../../results/run-folder.ts';
import { first } from '../../src/present.ts';
import { scenarioVersion } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import type { Case, CaseBoot } from './boot-case.ts';
import type { JudgedCase } from './judge-case.ts';
import type { Laboratory } from './laboratory.ts';
import { type Repro, reproScript } from './repro.ts';

export type Prepared = NonNullable<CaseBoot['prepared']>;

/** repro.sh: the same boot by QEMU alone. */
function reproOf(
  { emulator, initramfs }: Laboratory,
  { name, kernel }: Case,
  event: Prepared,
): Repro {
  const program =
    emulator.command.find((word) => word.endsWith('qemu-system-aarch64')) ??
    first(emulator.command);
  return {
    name,
    machine: event.machine,
    ...(event.deviceTree && { deviceTree: event.deviceTree }),
    ...(event.monitor && { monitor: event.monitor }),
    ...(event.deviceData && { deviceData: event.deviceData }),
    kernel: {
      path: kernel.image.imagePath,
      sha256: kernel.image.sha256,
      origin: kernel.image.source,
    },
    initramfs: {
      ...initramfs,
      origin: 'built by ptdiff from guest/init; any ptdiff run leaves it in the cache',
    },
    emulator: { path: program, sha256: emulator.sha256, origin: emulator.origin },
  };
}

/** inputs.json: everything the boot was made from. */
function inputsOf(
  { emulator, initramfs }: Laboratory,
  { kernel, scenario }: Case,
  event: Prepared,
): CaseInputs {
  const { notes: _, ...image } = kernel.image;
  const { version, sha256, origin } = emulator;
  const { cpu, commandLine } = event.machine;
  return {
    schema: 1,
    kernel: image,
    scenarioVersion,
    scenario,
    cpu,
    commandLine,
    initramfs,
    emulator: { version, sha256, origin },
    blobs: storeBlobs(event),
  };
}

function writeJson(directory: string, file: string, value: unknown): void {
  writeText(join(directory, file), `${stableJson(value, 1)}\n`);
}

/** Writes the evidence of a boot, and how to boot it again, into the folder of its case. */
export function writeBoot(each: Case, { evidence, laboratory, prepared }: CaseBoot): void {
  const { directory } = each;
  writeEvidence(directory, evidence);
  if (prepared) writeInputs(each, laboratory, prepared);
}

/** Leaves there what the boot was made of, and a script that makes it again on this machine. */
export function writeInputs(each: Case, laboratory: Laboratory, prepared: Prepared): void {
  const script = reproScript(reproOf(laboratory, each, prepared));
  writeText(join(each.directory, caseFiles.repro), script, 0o755);
  writeJson(each.directory, caseFiles.inputs, inputsOf(laboratory, each, prepared));
}

/** The prediction of a board in short: a terabyte has half a million tables, and most are alike. */
function inShort(prediction: JudgedCase['prediction']): object {
  const { live } = prediction.checkpoints;
  if (live === undefined) return prediction;
  const counts = Map.groupBy(live.tables, ({ level, attributes }) => `${level} ${attributes}`);
  const tables = [...counts.values()].map((alike) => ({ ...alike[0], count: alike.length }));
  return { ...prediction, checkpoints: { live: { ...live, tables } } };
}

/** Writes the prediction, and the differences from it, into the same folder. */
export function writeConclusions(
  { directory }: Case,
  { prediction, judgement: { differences } }: Pick<JudgedCase, 'prediction' | 'judgement'>,
): void {
  writeJson(directory, caseFiles.prediction, inShort(prediction));
  writeJson(directory, caseFiles.differences, { schema: 1, checkpoints: differences });
}
