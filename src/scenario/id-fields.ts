// SPDX-License-Identifier: GPL-2.0-only
import type { IdRegisterName } from './id-registers.ts';
import { makeScenario } from './make.ts';
import type { IdField, Scenario } from './types.ts';

const field = (
  register: IdRegisterName,
  bits: string,
  value: number,
  cpus?: number[],
): IdField => ({
  register,
  bits,
  value,
  ...(cpus && { cpus }),
});

const hafdbs = (cpus?: number[]): IdField => field('ID_AA64MMFR1_EL1', '3:0', 0, cpus);
const prefix = 'monitor';

function scenario(
  cpu: string,
  suffix: string,
  idFields: IdField[],
  { cpus = 1, kaslr = false } = {},
): Scenario {
  return makeScenario({ prefix, cpu, kaslr, suffix }, { firmware: prefix, cpus, idFields });
}

/**
 * Features that affect tables and control registers, removed from a CPU that has everything else:
 * E0PD, without which KASLR requires KPTI; LPA2; stage 1 permission indirection; the hardware's
 * access flag and dirty state. The last, and safety from Meltdown, are removed from the second CPU
 * only.
 */
export const idFieldScenarios: readonly Scenario[] = [
  scenario('max', 'no-e0pd', [field('ID_AA64MMFR2_EL1', '63:60', 0)], { kaslr: true }),
  scenario('max', 'no-lpa2', [
    field('ID_AA64MMFR0_EL1', '31:28', 0),
    field('ID_AA64MMFR0_EL1', '23:20', 1),
  ]),
  scenario('neoverse-v3-r0p2', 'no-s1pie', [field('ID_AA64MMFR3_EL1', '11:8', 0)]),
  scenario('max', 'no-hafdbs', [hafdbs()]),
  scenario('max', 'then-no-hafdbs', [hafdbs([1])], { cpus: 2 }),
  scenario('neoverse-v3-r0p2', 'then-unsafe', [field('ID_AA64PFR0_EL1', '63:60', 0, [1])], {
    cpus: 2,
  }),
];
