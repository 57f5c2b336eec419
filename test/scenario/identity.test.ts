// SPDX-License-Identifier: GPL-2.0-only
import { createHash } from 'node:crypto';
import t from 'tap';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { scenarioDifferences, scenarioHash } from '../../src/scenario/identity.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const named = (name: string) => {
  const found = builtInScenarios.find((scenario) => scenario.name === name);
  if (!found) throw new Error(name);
  return found;
};

t.test(
  'the hash is that of the experiment, whatever its name and the order of its fields',
  async (t) => {
    const max = named('max');
    const hash = scenarioHash(max, sha256);
    // Written down: results of another day are paired by it.
    t.equal(hash, '459071838be14ab563e5b5e3537bbda6c1a99940d46436019e205c586698b767');
    const turned = Object.fromEntries(
      Object.entries({ ...max, name: 'other' }).reverse(),
    ) as unknown as typeof max;
    t.equal(scenarioHash(turned, sha256), hash);
    t.equal(
      scenarioHash(named('realm-late-rsi'), sha256),
      scenarioHash(named('realm+max+noalias+kfence100'), sha256),
      'two names of one experiment',
    );
    const hashes = builtInScenarios
      .filter(({ name }) => !name.startsWith('realm-'))
      .map((each) => scenarioHash(each, sha256));
    t.equal(new Set(hashes).size, hashes.length, 'no two of the built-in scenarios are the same');
  },
);

t.test('what differs is named by its path', async (t) => {
  const max = named('max');
  t.same(scenarioDifferences(max, { ...max, name: 'other' }), []);
  const other = {
    ...max,
    kfenceSampleInterval: 100,
    machine: { ...max.machine, memory: 2048, holes: [{ start: 0x6000_0000, size: 4096 }] },
  };
  t.same(scenarioDifferences(max, other), [
    'kfenceSampleInterval not set, 100',
    'machine.holes [], [{"size":4096,"start":1610612736}]',
    'machine.memory 1024, 2048',
  ]);
});
