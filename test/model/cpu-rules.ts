// SPDX-License-Identifier: GPL-2.0-only
import type { KernelConfig } from '../../src/linux/kernel-config.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { bbmlAllowList, cpuSupportsBbml } from '../../src/model/arch/arm64/kernel/cpufeature.ts';
import { predictRegisters } from '../../src/model/arch/arm64/mm/proc.ts';
import { predict } from '../../src/model/predict.ts';
import type { Question } from '../../src/model/question.ts';
import { given } from '../given.ts';
import { questionOfGolden, sharedGolden } from './golden.ts';
import type { Rule } from './rule.ts';

const question = (name: string): Question => questionOfGolden(sharedGolden(`${name}.json.gz`));

/** Whether TCR2_EL1.HAFT is on with a value of ID_AA64MMFR1_EL1.HAFDBS. */
function haftWith(hafdbs: number, changed: Partial<KernelConfig>): boolean {
  const { traits, facts } = question('7.3.4+deb13-arm64@max+noalias');
  const own = given(facts.idRegisters[0]);
  const idRegisters = {
    ...own,
    ID_AA64MMFR1_EL1: ((own.ID_AA64MMFR1_EL1 ?? 0n) & ~0xfn) | BigInt(hafdbs),
  };
  const config = { ...traits.config, haft: true, ...changed };
  const { decisions } = predict(question('7.3.4+deb13-arm64@max+noalias'));
  const inputs = { traits: { ...traits, config }, decisions, idRegisters, vaBits: 48 };
  const { TCR2_EL1 } = predictRegisters({ ...inputs, swapper: 0x4200_0000 }, 'init');
  return (given(TCR2_EL1).bits & (1n << 11n)) !== 0n;
}

/** Rules about CPUs that the emulator does not have. */
export const cpuRules: readonly Rule[] = [
  {
    name: 'a kernel that does not know the capability has none, on a listed part either',
    holds: () => cpuSupportsBbml({ bbml: 'none' }, { MIDR_EL1: 0x410fd842n }) === undefined,
  },
  {
    name: 'a realm may set its direct map, which map_mem() did not know yet',
    holds: () => {
      const { decisions } = predict(question('7.2.13+deb14-arm64@realm-late-rsi'));
      return decisions.canSetDirectMap && !decisions.canSetDirectMapInMapMem;
    },
  },
  {
    name: 'the access flag of tables is turned on where the CPU sets it, the kernel knows it, and the access flag of leaves is on',
    holds: () =>
      haftWith(3, {}) &&
      haftWith(4, {}) &&
      !haftWith(2, {}) &&
      !haftWith(3, { haft: false }) &&
      !haftWith(3, { hwAfdbm: false }),
  },
  {
    name: 'a CPU with FEAT_BBM level 3 is capable since 7.3 whatever its part, one with level 2 by the list alone',
    holds: () => {
      const unlisted = (level: bigint) => ({
        MIDR_EL1: 0x000f0510n,
        ID_AA64MMFR2_EL1: level << 52n,
      });
      const capable = (bbml: KernelTraits['bbml'], level: bigint) =>
        cpuSupportsBbml({ bbml }, unlisted(level)) !== undefined;
      return (
        capable('bbml3', 3n) &&
        !capable('bbml3', 2n) &&
        !capable('bbml2', 3n) &&
        !capable('bbml2', 2n) &&
        !capable('none', 3n)
      );
    },
  },
  {
    name: 'what 7.3 adds to the list of parts counts with BBML3 alone',
    holds: () => {
      const names = (bbml: 'bbml2' | 'bbml3') => bbmlAllowList(bbml).map(({ name }) => name);
      return (
        !names('bbml2').includes('C1-Ultra') &&
        names('bbml3').includes('C1-Ultra') &&
        names('bbml2').every((name) => names('bbml3').includes(name))
      );
    },
  },
];
