// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import type { BootFacts } from '../../src/evidence/boot-facts.ts';
import { earlyEnd } from '../../src/evidence/capture.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import type { Question } from '../../src/model/question.ts';
import { kernelParameters } from '../../src/scenario/command-line.ts';
import type { Depth } from '../../src/scenario/depth.ts';
import { modulesFor, removableModule } from '../../src/scenario/devices.ts';
import { exerciseNames, probesOf, type Scenario } from '../../src/scenario/types.ts';
import type { LoadedKernel } from './loaded-kernel.ts';

/** @throws PtdiffError(image) for a symbol that the kernel does not have */
export function linkAddress(symbols: SymbolTable, name: string): bigint {
  const address = symbols.address(name);
  if (address !== undefined) return address;
  throw new PtdiffError('image', `The kernel has no symbol ${name}; it needs CONFIG_KALLSYMS_ALL.`);
}

/** Offset of a symbol from _text in bytes. */
export function symbolOffset(symbols: SymbolTable, name: string): number {
  return Number(linkAddress(symbols, name) - symbols.textBase);
}

/** Probes that init runs for a case: a kernel with drivers as modules loads them first. */
export function guestProbes(
  { traits }: Pick<LoadedKernel, 'traits'>,
  scenario: Scenario,
): string[] {
  const modules = modulesFor(scenario.machine.devices, traits.builtInDrivers);
  return [...(modules.length > 0 ? ['modules'] : []), ...probesOf(scenario)];
}

/** What init does besides in a recorded boot; a module goes and comes only where there is one. */
function exercisesOf({ traits }: Pick<LoadedKernel, 'traits'>, { machine }: Scenario): string[] {
  const removable = modulesFor(machine.devices, traits.builtInDrivers).includes(removableModule);
  return exerciseNames.filter((name) => name !== 'module' || removable);
}

/**
 * What the model is asked for one case, of which an early boot has run no probes.
 * @param exercised the boot was recorded, so that init also did what is in exercises.c
 */
export function questionOf(
  kernel: LoadedKernel,
  scenario: Scenario,
  facts: BootFacts,
  depth: Depth = 'full',
  exercised = false,
): Question {
  return {
    traits: kernel.traits,
    machine: scenario.machine,
    parameters: kernelParameters(scenario, kernel.traits),
    kaslr: scenario.kaslr,
    probes:
      depth === 'early'
        ? []
        : [...guestProbes(kernel, scenario), ...(exercised ? exercisesOf(kernel, scenario) : [])],
    ...(exercised && { hasBpf: kernel.symbols.codeName('bpf_prog_load') !== undefined }),
    symbolOffset: (name) => symbolOffset(kernel.symbols, name),
    facts,
    ...(depth === 'early' && { until: earlyEnd }),
  };
}
