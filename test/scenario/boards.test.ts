// SPDX-License-Identifier: GPL-2.0-only
/** The cores of boards: what their scenarios are, and what the kernel decides on them. */
import t from 'tap';
import { boardCores, boardScenarios, namedBoardScenarios } from '../../src/scenario/boards.ts';
import { allScenarios, builtInScenario } from '../../src/scenario/built-in.ts';
import { expectedIdRegisters, hasVhe } from '../../src/scenario/cpu-registers.ts';
import { cpuNamed } from '../../src/scenario/cpus.ts';
import { makeScenario } from '../../src/scenario/make.ts';
import { given } from '../given.ts';

t.test('each core has scenarios with and without KASLR, with KPTI on and off', async (t) => {
  for (const cpu of boardCores) {
    for (const suffix of ['', '+kaslr', '+kpti', '+kaslr+kpti-off']) {
      const { machine, kaslr, parameters } = given(builtInScenario(`${cpu}${suffix}`));
      t.equal(machine.cpu, cpu);
      t.equal(kaslr, suffix.includes('kaslr'), suffix);
      const parameter = { '+kpti': ['kpti=on'], '+kaslr+kpti-off': ['kpti=off'] }[suffix] ?? [];
      t.same(parameters, parameter, suffix);
    }
  }
});

t.test('of those that all means, each core has one', async (t) => {
  const names = new Set(allScenarios.map(({ name }) => name));
  for (const { name } of boardScenarios) t.ok(names.has(name), name);
  const added = namedBoardScenarios.filter((scenario) => allScenarios.includes(scenario));
  t.same(added, [], 'the others must be named');
});

/** From QEMU's target/arm/tcg/cpu64.c: PARange, FEAT_VHE, FEAT_E0PD, BBM, CSV3. */
const facts: Record<(typeof boardCores)[number], [number, boolean, boolean, number, number]> = {
  'cortex-a35': [40, false, false, 0, 0],
  'cortex-a53': [40, false, false, 0, 0],
  'cortex-a55': [40, true, false, 0, 0],
  'cortex-a57': [44, false, false, 0, 0],
  'cortex-a72': [44, false, false, 0, 0],
  'cortex-a76': [40, true, false, 0, 1],
  'cortex-a78': [40, true, false, 0, 1],
  'cortex-a710': [40, true, true, 2, 1],
  'neoverse-n1': [48, true, false, 0, 1],
  'neoverse-v1': [48, true, false, 2, 1],
  'neoverse-n2': [48, true, true, 2, 1],
};

/** ID_AA64MMFR0_EL1.PARange (Arm ARM, D24.2). */
const addressBits = [32, 36, 40, 42, 44, 48, 52];

t.test('each core has the features of the part', async (t) => {
  const field = (value: bigint | undefined, lsb: bigint) => Number((given(value) >> lsb) & 0xfn);
  for (const cpu of boardCores) {
    const { machine } = makeScenario({ cpu });
    const registers = given(expectedIdRegisters(machine)[0]);
    const { ID_AA64MMFR0_EL1: mmfr0, ID_AA64MMFR2_EL1: mmfr2, ID_AA64PFR0_EL1: pfr0 } = registers;
    t.same(
      [
        addressBits[field(mmfr0, 0n)],
        hasVhe(cpu),
        field(mmfr2, 60n) > 0,
        field(mmfr2, 52n),
        field(pfr0, 60n),
      ],
      facts[cpu],
      cpu,
    );
    t.equal(
      field(mmfr0, 20n) > 0,
      cpuNamed(cpu).granules?.includes(16384) ?? true,
      `${cpu}: pages of 16K`,
    );
  }
});
