// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { arm64_rsi_init } from '../../../../../src/model/arch/arm64/kernel/rsi.ts';
import { kernelAtReset } from '../../../../../src/model/decisions.ts';
import { predict } from '../../../../../src/model/predict.ts';
import { questionOfGolden, readGolden, sharedGolden } from '../../../golden.ts';

t.test('a realm knows its world before paging_init() or after it, by its kernel', async (t) => {
  const asked = questionOfGolden(readGolden('7.3.4+deb13-arm64@realm+max.json.gz'));
  for (const [rsiBeforePagingInit, when] of [
    [true, 'before'],
    [false, 'after'],
  ] as const) {
    const traits = { ...asked.traits, rsiBeforePagingInit };
    const { derivation } = predict({ ...asked, traits });
    const turned = derivation.findIndex(({ outcome }) => /^is_realm_world\(\) turns/.test(outcome));
    t.match(derivation[turned], {
      where: 'arm64_rsi_init()',
      outcome: ` ${when} paging_init()`,
    });
    const mapped = derivation.findIndex(({ where }) => where === 'map_mem()');
    t.ok(mapped > -1);
    t.equal(turned < mapped ? 'before' : 'after', when, 'and that is when the step is');
  }
});

t.test('outside a realm the kernel has nothing to ask an RMM', async (t) => {
  const realm = questionOfGolden(readGolden('7.3.4+deb13-arm64@realm+max.json.gz'));
  t.ok(predict(realm).rsi?.length);
  const machine = { ...realm.machine, world: 'normal' as const };
  const facts = { ...realm.facts, sharing: [] };
  t.same(predict({ ...realm, machine, facts }).rsi, []);
});

t.test('a kernel before 6.13 does not know that it is in a realm', async (t) => {
  for (const [golden, realm] of [
    ['6.12.107+deb13-arm64@cortex-a76', false],
    ['7.3.4+deb13-arm64@cortex-a76+kaslr', true],
  ] as const) {
    const { traits } = sharedGolden(`${golden}.json.gz`).question;
    const inputs = { parameters: [], idRegisters: [], kaslr: false, world: 'realm' as const };
    const kernel = kernelAtReset(traits, inputs, () => {});
    arm64_rsi_init(kernel);
    t.equal(kernel.decisions.realm, realm, golden);
  }
});
