// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { leanParameters } from '../../src/scenario/lean.ts';
import type { Scenario } from '../../src/scenario/types.ts';

const scenario = (name: string): Scenario => {
  const found = builtInScenario(name);
  if (!found) throw new Error(name);
  return found;
};

t.test('the self-tests of ciphers are left out, and a plain scenario has them', async (t) => {
  t.ok(leanParameters(scenario('max'), { builtInDrivers: [] }).includes('cryptomgr.notests=1'));
  t.same(leanParameters(scenario('max+plain'), { builtInDrivers: [] }), []);
});

t.test('the certificates stay where modules are loaded', async (t) => {
  const leftOut = (builtInDrivers: string[]) =>
    leanParameters(scenario('max+devices'), { builtInDrivers }).some((word) =>
      word.includes('certificate'),
    );
  t.notOk(leftOut([]), 'drivers are modules');
  t.ok(
    leftOut(['virtio-console', 'virtio-blk', 'virtio-rng', 'virtio-net']),
    'drivers are built in',
  );
});
