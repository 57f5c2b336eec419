// SPDX-License-Identifier: GPL-2.0-only
import { refusalTitle, variationTitle } from '../../../../linux/cpu-messages.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import { first } from '../../../../present.ts';
import { asksForCpus, type Machine } from '../../../../scenario/types.ts';
import type { BootState, IdRegisters } from '../../../boot-state.ts';
import type { CpuOutcome } from '../../../cpu-outcome.ts';
import type { Derivation } from '../../../derivation.ts';
import { idField, matches, verify_local_cpu_caps } from './cpufeature.ts';

const CPUFEATURE = 'arch/arm64/kernel/cpufeature.c';

/** ID registers of the CPUs that the boot brings up: all, or only the first with maxcpus=1. */
export function bootTimeCpus(machine: Machine, idRegisters: IdRegisters[]): IdRegisters[] {
  return machine.late ? idRegisters.slice(0, 1) : idRegisters;
}

/**
 * Fields of 4 bits that are FTR_STRICT in ftr_id_aa64mmfr1[] and [2]: HAFDBS and BBM. A CPU that
 * differs in one of them is accepted, with a warning and a taint.
 */
const strictFields = [
  { register: 'ID_AA64MMFR1_EL1', lsb: 0 },
  { register: 'ID_AA64MMFR2_EL1', lsb: 52 },
];

function variationOf(boot: IdRegisters, other: IdRegisters): string[] {
  return strictFields
    .filter(({ register, lsb }) => idField(boot, register, lsb) !== idField(other, register, lsb))
    .map(({ register }) => variationTitle(`SYS_${register}`));
}

/**
 * Which CPUs come online, and what the kernel logs about those that differ. cpu_die_early()
 * switches a refused CPU off again (PSCI CPU_OFF) and marks it absent, and __cpu_up() fails with
 * -EIO after five seconds. The linear map does not change: it was decided at boot.
 */
function cpuOutcome(
  traits: KernelTraits,
  {
    machine,
    probes,
    idRegisters,
  }: { machine: Machine; probes: string[]; idRegisters: IdRegisters[] },
  why: Derivation,
): CpuOutcome {
  const atBoot = bootTimeCpus(machine, idRegisters);
  const cpus = asksForCpus(probes) ? idRegisters : atBoot;
  const unknown = traits.cpuCapabilities === undefined && asksForCpus(probes);
  const complaints = new Set<string>();
  const refused: number[] = [];
  let onlineAtInit = 0n;
  for (const [cpu, registers] of cpus.entries()) {
    const late = cpu >= atBoot.length;
    const comes = late || (cpu > 0 && probes.includes('cpu_hotplug'));
    const conflict = comes ? verify_local_cpu_caps(traits, atBoot, registers) : undefined;
    if (!late || !conflict)
      for (const title of variationOf(first(idRegisters), registers)) complaints.add(title);
    if (conflict) {
      const has = matches(conflict, registers);
      complaints.add(refusalTitle(conflict.description, has));
      refused.push(cpu);
      const outcome = `CPU${cpu} is refused: ${conflict.description}, system ${!has}, CPU ${has}`;
      why('verify_local_cpu_caps()', `${CPUFEATURE}; cpu_die_early(), smp.c`, outcome);
      continue;
    }
    onlineAtInit |= 1n << BigInt(cpu);
    if (comes) {
      const when = late ? 'comes late' : 'goes, comes again';
      why(
        'verify_local_cpu_caps()',
        CPUFEATURE,
        `CPU${cpu} ${when} and is let in; the linear map stays as it is`,
      );
    }
  }
  const onlineAtBoot = (1n << BigInt(atBoot.length)) - 1n;
  return { onlineAtBoot, onlineAtInit, refused, complaints: [...complaints], unknown };
}

/** smp_init() and its results, including what happens when init asks for CPUs later. */
export function smp_init(state: BootState): void {
  const { machine, probes, facts } = state.question;
  const asked = { machine, probes, idRegisters: facts.idRegisters };
  state.cpus = cpuOutcome(state.traits, asked, state.why);
}
