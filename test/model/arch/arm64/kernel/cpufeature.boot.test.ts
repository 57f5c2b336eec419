// SPDX-License-Identifier: GPL-2.0-only
/**
 * The model's copy of the kernel's allow list, against the lists of real kernels: no entry is
 * forgotten, none made up.
 */
import t from 'tap';
import { loadKernel } from '../../../../../harness/laboratory/loaded-kernel.ts';
import { bbmlAllowList } from '../../../../../src/model/arch/arm64/kernel/cpufeature.ts';

t.setTimeout(0);

for (const spec of ['debian:6.18', 'debian:7.3']) {
  t.test(spec, async (t) => {
    const { traits } = await loadKernel(spec);
    const capability = traits.cpuCapabilities?.find(({ match }) => 'bbml' in match);
    const match = capability?.match;
    t.ok(match && 'bbml' in match && match.listed, 'the Image shows its list');
    if (!match || !('bbml' in match)) return;
    t.equal(match.bbml, traits.bbml);
    t.same(
      match.listed,
      bbmlAllowList(match.bbml).map(({ model, from, to }) => ({ model, from, to })),
    );
  });
}
