// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { bootTimeCpus } from '../../src/model/arch/arm64/kernel/smp.ts';
import { decide, kernelAtReset } from '../../src/model/decisions.ts';
import { predict } from '../../src/model/predict.ts';
import { questionOfGolden, readGolden } from './golden.ts';

t.test('what is decided without a map is what is decided in a whole boot', (t) => {
  for (const name of [
    '6.12.107+deb13-arm64@cortex-a76+kaslr',
    '6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+then-max',
    '7.3.4+deb13-arm64@monitor+max-bbm2+late-bbm3',
    '7.3.4-4k39@max+pagealloc',
  ]) {
    const question = questionOfGolden(readGolden(`${name}.json.gz`));
    const { traits, machine, facts } = question;
    const idRegisters = bootTimeCpus(machine, facts.idRegisters);
    const steps: string[] = [];
    const why = (where: string) => steps.push(where);
    const decided = decide(traits, { ...question, world: machine.world, idRegisters }, why);
    t.same(decided, predict(question).decisions, name);
    t.ok(steps.includes('rodata_full'), 'and each is explained');
  }
  t.end();
});

t.test('nothing is decided before the first step of a boot', (t) => {
  for (const [name, hasRequirement] of [
    ['6.12.107+deb13-arm64@cortex-a76+kaslr', false],
    ['6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+then-max', true],
    ['7.3.4+deb13-arm64@neoverse-v3-r0p2', true],
  ] as const) {
    const question = questionOfGolden(readGolden(`${name}.json.gz`));
    const inputs = { ...question, world: question.machine.world, idRegisters: [] };
    const { decisions } = kernelAtReset(question.traits, inputs, () => {});
    t.ok(
      Object.values(decisions).every((decided) => decided === false),
      name,
    );
    t.equal('linearMapRequiresBbml' in decisions, hasRequirement, 'which came with 6.18');
  }
  t.end();
});
