// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { builtInScenario, builtInScenarios, isBuiltIn } from '../../src/scenario/built-in.ts';
import { scenarioHash } from '../../src/scenario/identity.ts';
import { parseScenarios } from '../../src/scenario/schema.ts';
import { largestSeed, variedName, vary } from '../../src/scenario/variation.ts';
import { given } from '../given.ts';

const variations = fc.record(
  { seed: fc.integer({ min: 0, max: largestSeed }), plain: fc.constant(true as const) },
  { requiredKeys: [] },
);

t.test('the name of a varied scenario alone brings it back', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...builtInScenarios), variations, (scenario, variation) => {
      const varied = vary(scenario, variation);
      t.same(builtInScenario(varied.name), varied);
      t.ok(isBuiltIn(varied));
      t.same(parseScenarios(varied, 'file.yaml'), [varied], 'and a file may hold it');
    }),
  );
});

t.test('another seed is the same experiment, another kernel command line is not', async (t) => {
  const scenario = given(builtInScenarios[0]);
  const hash = (each: typeof scenario) => scenarioHash(each, (text) => text);
  t.equal(hash(vary(scenario, { seed: 7 })), hash(scenario));
  t.not(hash(vary(scenario, { plain: true })), hash(scenario));
});

t.test('a night gives its seed to scenarios with KASLR only', async (t) => {
  for (const scenario of builtInScenarios) {
    t.equal(
      vary(scenario, { seed: 7, onlyKaslr: true }).seed,
      scenario.kaslr ? 7 : undefined,
      scenario.name,
    );
  }
});

t.test('a name without a variation, or with one that is none, has none', async (t) => {
  for (const name of ['max', 'max+seed', `max+seed${largestSeed + 1}`, 'plain', 'max+plain+x']) {
    t.equal(variedName(name), undefined, name);
  }
});

t.test('further parameters are told by the name, which stays the name of a folder', async (t) => {
  const scenario = given(builtInScenarios[0]);
  const varied = vary(scenario, { parameters: ['isolcpus=1', 'a'.repeat(90)] });
  t.match(varied.name, /^max\+isolcpus\.1\+a+$/);
  t.same(varied.parameters.slice(0, 1), ['isolcpus=1']);
  t.same(parseScenarios(varied, 'file.yaml'), [varied]);
  t.notOk(isBuiltIn(varied), 'so that whoever repeats it gets its parameters, too');
});
