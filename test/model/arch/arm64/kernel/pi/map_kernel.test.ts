// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { early_map_kernel } from '../../../../../../src/model/arch/arm64/kernel/pi/map_kernel.ts';
import { kernelAtReset } from '../../../../../../src/model/decisions.ts';
import { recordDerivation } from '../../../../../../src/model/derivation.ts';
import { questionOfGolden, sharedGolden } from '../../../../golden.ts';

const { traits } = questionOfGolden(sharedGolden('7.3.4+deb13-arm64@cortex-a76+kaslr.json.gz'));

/** arm64_use_ng_mappings with KASLR on a CPU, and whether the derivation has a word on it. */
function nonGlobal(unmapKernelAtEl0: boolean, e0pd: bigint, MIDR_EL1 = 0x414f_d0b1n) {
  const { steps, why } = recordDerivation();
  const config = { ...traits.config, unmapKernelAtEl0, e0pd: true, randomizeBase: true };
  const idRegisters = [{ MIDR_EL1, ID_AA64MMFR2_EL1: e0pd << 60n }];
  const inputs = { parameters: [], idRegisters, kaslr: true, world: 'normal' as const };
  const kernel = kernelAtReset({ ...traits, config }, inputs, why);
  early_map_kernel(kernel);
  return [kernel.decisions.useNgMappings, steps.length, steps[0]?.outcome];
}

t.test(
  'the first mappings are non-global where KASLR needs KPTI, even if there is none',
  async (t) => {
    const word = (e0pd: string, nonGlobal: boolean) =>
      `FEAT_E0PD ${e0pd}: non-global mappings ${nonGlobal}`;
    t.same(nonGlobal(true, 0n), [true, 1, word('false', true)]);
    t.same(nonGlobal(true, 1n), [false, 1, word('true', false)], 'FEAT_E0PD does for it');
    // arch/arm64/kernel/pi/map_kernel.c asks for CONFIG_RANDOMIZE_BASE alone.
    t.match(nonGlobal(false, 0n), [true, 1], 'without CONFIG_UNMAP_KERNEL_AT_EL0, too');
    // ng_mappings_allowed(): ThunderX T88 pass 1.0.
    const cavium = [false, 1, word('false, Cavium erratum 27456', false)];
    t.same(nonGlobal(true, 0n, 0x430f_0a10n), cavium);
  },
);
