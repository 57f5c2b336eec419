import t from 'tap';
import { decide } from '../../src/model/decisions.ts';
import { bootTimeCpus } from '../../src/model/late-cpus.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { kernelParameters } from '../../src/scenario/command-line.ts';
import { identitiesOf } from '../../src/scenario/cpus.ts';
import { idOverrides, shownIdRegisters } from '../../src/scenario/id-registers.ts';
import { tellingScenarios } from '../../src/scenario/telling.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { variantScenarios } from '../../src/scenario/variants.ts';
import { readGolden } from '../model/golden.ts';

/** ID registers of a QEMU model, from a recorded boot on it; models that no boot was recorded on have those of `max`. */
const recorded: Record<string, string> = {
  'cortex-a76': '7.3.4+deb13-arm64@cortex-a76+kaslr',
  'neoverse-n2': '7.3.4+deb13-arm64@neoverse-n2+off',
  'cortex-a57': '7.3.4+deb13-arm64@realm+cortex-a57',
  'neoverse-n1': '7.3.4+deb13-arm64@realm+neoverse-n1',
  max: '7.3.4+deb13-arm64@max+noalias',
};

function idRegistersOf({ machine }: Scenario): Record<string, bigint>[] {
  const own = identitiesOf(machine).map(({ qemu, midr }) => {
    const { question } = readGolden(`${recorded[qemu.split(',')[0]]}.json.gz`);
    return { ...question.facts.idRegisters[0], MIDR_EL1: midr };
  });
  return shownIdRegisters(own, idOverrides(machine));
}

/** What rodata= and KFENCE's interval set of themselves, and what the decision functions make of it and of the machine. */
function answersOf(golden: string, scenario: Scenario): { inputs: string[]; outcome: string } {
  const { traits } = readGolden(`${golden}.json.gz`).question;
  const decisions = decide(
    traits,
    {
      parameters: kernelParameters(scenario, traits),
      kaslr: scenario.kaslr,
      idRegisters: bootTimeCpus(scenario.machine, idRegistersOf(scenario)),
      world: scenario.machine.world,
    },
    () => {},
  );
  const { rodataEnabled, rodataFull, kfenceEarlyInit, lpa2, ...outcome } = decisions;
  const inputs = Object.entries({ rodataEnabled, rodataFull, kfenceEarlyInit, lpa2 });
  return { inputs: inputs.map(([name, value]) => `${name} ${value}`), outcome: JSON.stringify(outcome) };
}

const generations = {
  '6.12': '6.12.107+deb13-arm64@max+noalias+kfence100',
  '6.18': '6.18.15+deb13-arm64@neoverse-v3-r0p2',
  '7.1': '7.1.13+deb13-arm64@neoverse-v3-r0p2+off+kfence100',
  '7.3': '7.3.4+deb13-arm64@max+noalias',
};

t.test('there are twelve, and each is built in', async (t) => {
  t.equal(new Set(tellingScenarios).size, 12);
  for (const name of tellingScenarios)
    t.ok(
      builtInScenarios.find((scenario) => scenario.name === name),
      name,
    );
});

for (const [generation, golden] of Object.entries(generations)) {
  t.test(`${generation}: they reach every outcome of the decisions`, async (t) => {
    const telling = builtInScenarios.filter(({ name }) => tellingScenarios.includes(name));
    const reached = new Set(
      telling.map((scenario) => answersOf(golden, scenario)).flatMap(({ inputs, outcome }) => [...inputs, outcome]),
    );
    // KPTI and debug_pagealloc are decisions of their own, which need a scenario each.
    for (const scenario of builtInScenarios.filter((each) => !variantScenarios.includes(each))) {
      const { inputs, outcome } = answersOf(golden, scenario);
      for (const each of [...inputs, outcome]) t.ok(reached.has(each), `${scenario.name}: ${each}`);
    }
  });
}
