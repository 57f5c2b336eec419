// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { decisionName } from '../../src/model/decision-names.ts';
import { predict } from '../../src/model/predict.ts';
import { questionOfGolden, readGolden } from './golden.ts';

t.test("a decision bears the kernel's own name, after the level that the kernel asks for", (t) => {
  const namesOn = (name: string) => {
    const { derivation } = predict(questionOfGolden(readGolden(`${name}.json.gz`)));
    const about = ['bootCpuBbml', 'systemBbml', 'linearMapRequiresBbml', 'kpti'] as const;
    return about.map((decision) => decisionName(decision, derivation));
  };
  t.same(namesOn('6.18.15+deb13-arm64@neoverse-v3-r0p2'), [
    'cpu_supports_bbml2_noabort(), boot CPU',
    'system_supports_bbml2_noabort()',
    'linear_map_requires_bbml2',
    'arm64_kernel_unmapped_at_el0()',
  ]);
  t.same(namesOn('7.3.4+deb13-arm64@max+noalias'), [
    'cpu_supports_bbml3(), boot CPU',
    'system_supports_bbml3()',
    'linear_map_requires_bbml3',
    'arm64_kernel_unmapped_at_el0()',
  ]);
  t.end();
});
