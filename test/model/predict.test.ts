// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { kfencePoolSize } from '../../src/linux/kernel-layout.ts';
import { predict, stateInOperation } from '../../src/model/predict.ts';
import { given } from '../given.ts';
import { questionOfGolden, sharedGolden } from './golden.ts';

const question = (name: string) => questionOfGolden(sharedGolden(`${name}.json.gz`));

t.test('a boot that ended at a checkpoint is predicted up to that one', async (t) => {
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const whole = predict(asked);
  const until = predict({ ...asked, until: 'before_split' });
  t.same(Object.keys(until.checkpoints), ['paging_init', 'before_split']);
  t.ok(Object.keys(whole.checkpoints).length > 2);
  t.ok(until.derivation.length < whole.derivation.length);
  t.same(until.derivation, whole.derivation.slice(0, until.derivation.length));
});

t.test(
  'a kernel in operation has a pool of KFENCE where one was found, and no other',
  async (t) => {
    const withPool = question('7.3.4+deb13-arm64@neoverse-v3-r0p2+kfence100+kpti');
    const { config, geometry } = withPool.traits;
    const start = given(withPool.facts.kfencePool);
    const size = kfencePoolSize(config.kfenceNumObjects, geometry);
    const { kfencePool } = stateInOperation(withPool, predict(withPool).decisions);
    t.same(kfencePool, { start, end: start + size });
    const { kfencePool: _, ...facts } = withPool.facts;
    const without = { ...withPool, facts };
    t.notOk('kfencePool' in stateInOperation(without, predict(withPool).decisions));
  },
);

t.test('of a kernel in operation only the state now is predicted', async (t) => {
  const { machine, ...rest } = question('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const asked = { ...rest, machine: { ...machine, cpus: 2 } };
  const { checkpoints } = predict({ ...asked, live: true });
  t.same(Object.keys(checkpoints), ['live']);
  const { live } = checkpoints;
  const { init } = predict(asked).checkpoints;
  t.same(given(live).registers, given(init).registers);
  const { __cpu_online_mask: mask, ...variables } = given(init).variables;
  t.type(mask, 'bigint');
  t.same(given(live).variables, variables, 'which CPUs are online there is up to its owner');
});

t.test('the variables of KFENCE are there where it is built in', async (t) => {
  const asked = question('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const { traits } = asked;
  const variablesOf = (kfence: boolean) => {
    const changed = { ...traits, config: { ...traits.config, kfence } };
    return given(predict({ ...asked, traits: changed }).checkpoints.init).variables;
  };
  t.ok('kfence_early_init' in variablesOf(true));
  t.notOk('kfence_early_init' in variablesOf(false));
});

t.test('who may come late to a kernel whose demands are not known is not predicted', async (t) => {
  const { machine, traits, ...rest } = question('7.3.4+deb13-arm64@neoverse-v3-r0p2');
  const { cpuCapabilities: _, ...unknown } = traits;
  const asked = {
    ...{ ...rest, probes: ['cpu_online'] },
    machine: { ...machine, cpus: 2 },
  };
  const known = predict({ ...asked, traits });
  t.notOk('lateCpusUnknown' in known);
  t.ok('__cpu_online_mask' in given(known.checkpoints.init).variables);
  const { lateCpusUnknown, checkpoints } = predict({ ...asked, traits: unknown });
  t.equal(lateCpusUnknown, true);
  t.notOk('__cpu_online_mask' in given(checkpoints.init).variables);
  t.ok('__cpu_online_mask' in given(checkpoints.smp_cpus_done).variables);
});
