// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { arch_parse_debug_rodata } from '../../../../../../src/model/arch/arm64/include/asm/setup.ts';
import { kernelAtReset } from '../../../../../../src/model/decisions.ts';
import { recordDerivation } from '../../../../../../src/model/derivation.ts';
import { questionOfGolden, sharedGolden } from '../../../../golden.ts';

/** rodata_enabled and rodata_full after these parameters, and what the kernel refuses. */
function rodata(golden: string, values: readonly string[], byDefault = true) {
  const { traits } = questionOfGolden(sharedGolden(`${golden}.json.gz`));
  const { steps, why } = recordDerivation();
  const config = { ...traits.config, rodataFull: byDefault };
  const parameters = values.map((value) => `rodata=${value}`);
  const inputs = { parameters, idRegisters: [], kaslr: false, world: 'normal' as const };
  const kernel = kernelAtReset({ ...traits, config }, inputs, why);
  arch_parse_debug_rodata(kernel);
  const { rodataEnabled: enabled, rodataFull: full } = kernel.decisions;
  const refused = steps.filter(({ outcome }) => outcome.startsWith('refuses')).length;
  return { enabled, full, refused };
}

const [full, partial, off] = [
  { enabled: true, full: true, refused: 0 },
  { enabled: true, full: false, refused: 0 },
  { enabled: false, full: false, refused: 0 },
];

t.test('rodata= has other words since 6.18: on for full, and noalias for on', async (t) => {
  for (const [golden, forFull, forPartial, unknown] of [
    ['6.12.107+deb13-arm64@cortex-a76', 'full', 'on', 'noalias'],
    ['7.3.4+deb13-arm64@cortex-a76+kaslr', 'on', 'noalias', 'full'],
  ] as const) {
    const say = (...values: string[]) => rodata(golden, values);
    t.same(say(), full, 'the default of the build');
    t.same(rodata(golden, [], false), partial, 'which may be another');
    t.same(rodata(golden, [forFull], false), full);
    t.same(say(forPartial), partial);
    t.same(say('off'), off);
    t.same(say('off', forFull), full, 'the last one wins');
    t.same(say('off', forPartial), partial);
    t.same(say(forFull, 'off'), off);
    t.same(say(unknown), { ...full, refused: 1 }, `${golden} does not know ${unknown}`);
    t.same(say('off', unknown), { ...off, refused: 1 });
  }
});
