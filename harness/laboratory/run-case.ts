// SPDX-License-Identifier: GPL-2.0-only
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Initramfs } from '../../guest/build.ts';
import { withModules } from '../../guest/module-initramfs.ts';
import { writeText } from '../../host/host-file.ts';
import { say } from '../../host/say.ts';
import { withMachineFolder } from '../../host/scratch-directory.ts';
import { debianModules } from '../../images/debian/modules.ts';
import type { Emulator } from '../../images/emulator/emulator.ts';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import { type CaseInputs, storeBlobs } from '../../results/case-inputs.ts';
import { writeEvidence } from '../../results/evidence-files.ts';
import { caseFiles } from '../../results/run-folder.ts';
import type { KnownIssue } from '../../src/diff/match-known.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { vmemmapStart } from '../../src/linux/kernel-layout.ts';
import { first } from '../../src/present.ts';
import { kernelParameters } from '../../src/scenario/command-line.ts';
import { identitiesOf } from '../../src/scenario/cpus.ts';
import { modulesFor } from '../../src/scenario/devices.ts';
import { type Scenario, scenarioVersion } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { boot } from '../boot/boot.ts';
import type { BootEvent } from '../boot/case-setup.ts';
import type { Hold } from '../boot/held-machine.ts';
import { keepFacts } from './facts-cache.ts';
import { judgeCase } from './judge-case.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { guestProbes } from './question.ts';
import { type Repro, reproScript } from './repro.ts';

/** What all cases of a run share. */
export interface Laboratory {
  emulator: Emulator;
  initramfs: Initramfs;
  /** The realm monitor, where a scenario of the run needs it. */
  monitor?: { code: Uint8Array; sha256: string };
  knownIssues: KnownIssue[];
}

/** One scenario on one kernel, and where its files go. */
export interface Case {
  name: string;
  kernel: LoadedKernel;
  scenario: Scenario;
  directory: string;
  /** Gives the machine to a person at a checkpoint. */
  hold?: Hold;
  /** An earlier boot that shall be repeated with exactly what it was made of. */
  replay?: { cpu: string; commandLine: string; blobs: MachineBlobs };
}

/** The kernel of a case as cases.jsonl names it. */
export function kernelOf({ image, traits }: LoadedKernel): CaseResult['kernel'] {
  const { spec, release, flavour, sha256 } = image;
  return { spec, release, flavour, sha256, generation: traits.generation };
}

/**
 * Command line of a case: the scenario's parameters, the console, and what the guest's init reads.
 */
export function commandLine(kernel: LoadedKernel, scenario: Scenario): string {
  const words = [...kernelParameters(scenario, kernel.traits), 'console=ttyAMA0', 'rdinit=/init'];
  return [...words, '--', `ptdiff.probes=${guestProbes(kernel, scenario).join(',')}`].join(' ');
}

/**
 * The laboratory with the modules that a kernel needs for the machine's devices; a repeated boot
 * has them already.
 */
async function withDrivers(
  laboratory: Laboratory,
  { kernel, scenario, replay }: Case,
  signal: AbortSignal,
): Promise<Laboratory> {
  const modules = modulesFor(scenario.machine.devices, kernel.traits.builtInDrivers);
  if (modules.length === 0 || replay) return laboratory;
  const files = await debianModules(kernel.image, modules, { progress: say, signal });
  return {
    ...laboratory,
    initramfs: await withModules(laboratory.initramfs, files, { progress: say, signal }),
  };
}

/** The boot alone: QEMU's files live in a folder that is gone when this returns. */
async function observe(
  laboratory: Laboratory,
  each: Case,
  signal: AbortSignal,
): Promise<{ evidence: Evidence; prepared?: BootEvent & { kind: 'prepared' } }> {
  const { kernel, scenario, replay } = each;
  const { config, geometry } = kernel.traits;
  const bootCpu = first(identitiesOf(scenario.machine));
  const monitor = scenario.machine.firmware && laboratory.monitor?.code;
  let prepared: (BootEvent & { kind: 'prepared' }) | undefined;
  return withMachineFolder(scenario.machine, async (folder) => {
    const evidence = await boot({
      kernel: kernel.image,
      symbols: kernel.symbols,
      machine: scenario.machine,
      cpu: replay?.cpu ?? bootCpu.qemu,
      commandLine: replay?.commandLine ?? commandLine(kernel, scenario),
      ...(scenario.seed !== undefined && { seed: scenario.seed }),
      initramfs: laboratory.initramfs.path,
      ...(monitor && { monitor }),
      ...(replay && { blobs: replay.blobs }),
      ...(each.hold && { hold: each.hold }),
      emulator: laboratory.emulator,
      directory: folder,
      groupProtection: !kernel.traits.aliasOfWholeArea,
      vmemmap: vmemmapStart(config.vaBits, geometry),
      signal,
      onEvent: (event) => {
        if (event.kind === 'prepared') prepared = event;
      },
    });
    return { evidence, ...(prepared && { prepared }) };
  });
}

/** repro.sh: the same boot by QEMU alone. */
function reproOf(
  { emulator, initramfs }: Laboratory,
  { name, kernel }: Case,
  event: BootEvent & { kind: 'prepared' },
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

/** inputs.json: what the boot was made of. */
function inputsOf(
  { emulator, initramfs }: Laboratory,
  { kernel, scenario }: Case,
  event: BootEvent & { kind: 'prepared' },
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

/**
 * Boots a case, predicts it, compares, and leaves everything in the folder of the case.
 * @throws PtdiffError for what is not the kernel's fault
 */
export async function runCase(
  shared: Laboratory,
  each: Case,
  signal: AbortSignal,
): Promise<CaseResult> {
  const started = performance.now();
  const laboratory = await withDrivers(shared, each, signal);
  const { kernel, scenario, directory } = each;
  const { evidence, prepared } = await observe(laboratory, each, signal);
  const write = (file: string, value: unknown) =>
    writeText(join(directory, file), `${stableJson(value, 1)}\n`);
  writeEvidence(directory, evidence);
  if (prepared) {
    const script = reproScript(reproOf(laboratory, each, prepared));
    writeText(join(directory, caseFiles.repro), script, 0o755);
    write(caseFiles.inputs, inputsOf(laboratory, each, prepared));
  }
  const { facts, prediction, judgement, notes } = judgeCase(
    kernel,
    scenario,
    evidence,
    laboratory.knownIssues,
  );
  const { notPredicted: _, differences, ...judged } = judgement;
  write(caseFiles.prediction, prediction);
  write(caseFiles.differences, { schema: 1, checkpoints: differences });
  if (evidence.end.kind === 'completed') {
    const { emulator } = laboratory;
    await keepFacts(
      { kernelSha256: kernel.image.sha256, emulatorSha256: emulator.sha256, scenario },
      facts,
    );
  }
  return {
    case: each.name,
    kernel: kernelOf(kernel),
    scenario: scenario.name,
    ...judged,
    seconds: Math.round((performance.now() - started) / 10) / 100,
    ...(notes.length > 0 && { notes }),
  };
}

/** Default of --jobs. */
export function defaultJobs(): number {
  return availableParallelism();
}
