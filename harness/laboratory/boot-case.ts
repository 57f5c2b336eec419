// SPDX-License-Identifier: GPL-2.0-only
import { withModules } from '../../guest/module-initramfs.ts';
import { say } from '../../host/say.ts';
import { withMachineFolder } from '../../host/scratch-directory.ts';
import { debianModules } from '../../images/debian/modules.ts';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { vmemmapStart } from '../../src/linux/kernel-layout.ts';
import { first } from '../../src/present.ts';
import { kernelParameters } from '../../src/scenario/command-line.ts';
import { identitiesOf } from '../../src/scenario/cpus.ts';
import type { Depth } from '../../src/scenario/depth.ts';
import { deviceModules, modulesFor } from '../../src/scenario/devices.ts';
import { boardWord, exerciseWord, type Scenario } from '../../src/scenario/types.ts';
import { boot } from '../boot/boot.ts';
import type { BootEvent } from '../boot/case-setup.ts';
import type { Hold } from '../boot/held-machine.ts';
import type { Laboratory } from './laboratory.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { guestProbes } from './question.ts';

/** One scenario on one kernel, and the folder for its files. */
export interface Case {
  name: string;
  kernel: LoadedKernel;
  scenario: Scenario;
  directory: string;
  /** How far it is booted; default: full. */
  depth?: Depth;
  /** Hands the machine over to a user at a checkpoint. */
  hold?: Hold;
  /** An earlier boot to repeat with exactly the same parts. */
  replay?: { cpu: string; commandLine: string; blobs: MachineBlobs };
}

/**
 * Command line of a case: the scenario's parameters, the console, and the parameters for the
 * guest's init.
 */
export function commandLine(kernel: LoadedKernel, scenario: Scenario): string {
  const words = [...kernelParameters(scenario, kernel.traits), 'console=ttyAMA0', 'rdinit=/init'];
  return [...words, '--', `ptdiff.probes=${guestProbes(kernel, scenario).join(',')}`].join(' ');
}

/** Where the boot is recorded, init exercises its tables once everything was captured. */
function commandLineOf(
  { recorderLibrary, exercises, playsBoard }: Laboratory,
  { kernel, scenario }: Case,
): string {
  const asked = recorderLibrary !== undefined && exercises !== false;
  const life = typeof playsBoard === 'string' ? `,${playsBoard}` : '';
  return [
    commandLine(kernel, scenario),
    ...(playsBoard ? [`${boardWord}${life}`] : []),
    ...(asked ? [exerciseWord] : []),
  ].join(' ');
}

/** What commandLine() gives, of a boot that may have been recorded. */
export function withoutExercises(commandLine: string): string {
  return commandLine.replace(` ${exerciseWord}`, '');
}

/**
 * The laboratory with the modules that a kernel needs for the machine's devices; a repeated boot
 * already has them.
 */
export async function withDrivers(
  laboratory: Laboratory,
  { kernel, scenario, replay }: Omit<Case, 'directory'>,
  signal: AbortSignal,
): Promise<Laboratory> {
  const modules = modulesFor(scenario.machine.devices, kernel.traits.builtInDrivers);
  if (modules.length === 0 || replay || laboratory.hasModules) return laboratory;
  const files = await debianModules(kernel.image, modules, {
    others: deviceModules,
    progress: say,
    signal,
  });
  return {
    ...laboratory,
    initramfs: await withModules(laboratory.initramfs, files, { progress: say, signal }),
  };
}

/** One boot: what was observed, and the parts it was made from. */
export interface CaseBoot {
  evidence: Evidence;
  /** With the modules that the machine's devices need. */
  laboratory: Laboratory;
  prepared?: BootEvent & { kind: 'prepared' };
}

/**
 * Boots a case and observes it; QEMU's files are in a folder that no longer exists when this
 * returns.
 * @throws PtdiffError for what is not the kernel's fault
 */
export async function bootCase(
  shared: Laboratory,
  each: Case,
  signal: AbortSignal,
): Promise<CaseBoot> {
  const laboratory = await withDrivers(shared, each, signal);
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
      commandLine: replay?.commandLine ?? commandLineOf(laboratory, each),
      ...(scenario.seed !== undefined && { seed: scenario.seed }),
      initramfs: laboratory.initramfs.path,
      ...(monitor && { monitor }),
      ...(replay && { blobs: replay.blobs }),
      ...(each.depth && { depth: each.depth }),
      ...(each.hold && { hold: each.hold }),
      emulator: laboratory.emulator,
      ...(laboratory.recorderLibrary !== undefined && {
        recorderLibrary: laboratory.recorderLibrary,
      }),
      directory: folder,
      groupProtection: !kernel.traits.aliasOfWholeArea,
      vmemmap: vmemmapStart(config.vaBits, geometry),
      granule: geometry.granule,
      signal,
      onEvent: (event) => {
        if (event.kind === 'prepared') prepared = event;
      },
    });
    return { evidence, laboratory, ...(prepared && { prepared }) };
  });
}
