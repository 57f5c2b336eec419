// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { predict } from '../../src/model/predict.ts';
import { deviceNames } from '../../src/scenario/devices.ts';
import { exerciseNames, probeNames } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import { questionOfGolden, readGolden } from './golden.ts';

const question = questionOfGolden(readGolden('6.12.107+deb13-arm64@cortex-a76+kaslr.json.gz'));

t.test('every probe that a scenario may ask has a prediction of its own', async (t) => {
  const probes = ['modules', ...probeNames, ...deviceNames, ...exerciseNames];
  const predicted = predict({ ...question, probes }).probes;
  t.same(
    predicted.map(({ probe }) => probe),
    probes,
  );
  t.match(
    predicted.filter(({ device }) => device).map(({ device }) => device),
    deviceNames,
  );
});

t.test(
  'a probe that the model does not know is an error, not the answer of another probe',
  async (t) => {
    t.throws(() => predict({ ...question, probes: ['memfd_secret', 'memfd_secrets'] }), {
      fault: 'harness',
      message:
        /^The model does not know the probe "memfd_secrets"; it knows memfd_secret, cpu_online, .*, modules\.$/,
    });
  },
);

t.test('a program is loaded where the kernel has bpf()', (t) => {
  const outcome = (hasBpf: boolean) => predict({ ...question, probes: ['bpf'], hasBpf }).probes;
  t.match(outcome(true), [{ probe: 'bpf', errno: 0 }]);
  t.match(outcome(false), [{ probe: 'bpf', errno: 38, why: /CONFIG_BPF_SYSCALL/ }]);
  t.end();
});

t.test('what init does besides ends well on every kernel', (t) => {
  for (const name of [
    '6.12.107+deb13-arm64@cortex-a76+kaslr',
    '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2',
  ]) {
    const asked = questionOfGolden(readGolden(`${name}.json.gz`));
    const probes = ['modules', ...exerciseNames];
    t.same(
      predict({ ...asked, probes, hasBpf: true }).probes.map(({ errno }) => errno),
      probes.map(() => 0),
    );
  }
  t.end();
});

t.test(
  'memfd_secret() is refused where one of its pages is in a block, whatever the others',
  (t) => {
    const asked = questionOfGolden(readGolden('7.2.13+deb14-arm64@realm-late-rsi.json.gz'));
    const leaves = predict(asked).checkpoints.init?.leaves ?? [];
    const inPages = given(leaves.find(({ level }) => level === 3)).pa;
    const inBlock = given(leaves.find(({ level }) => level < 3)).pa;
    const errno = (...probePages: number[]) =>
      predict({ ...asked, facts: { ...asked.facts, probePages }, probes: ['memfd_secret'] }).probes;
    t.match(errno(inPages), [{ errno: 0 }]);
    for (const pages of [[inBlock], [inPages, inBlock], [inBlock, inPages]])
      t.match(errno(...pages), [{ errno: 14 }]);
    t.end();
  },
);

t.test('a machine of one CPU has no second that could come online', (t) => {
  for (const probe of ['cpu_online', 'cpu_hotplug']) {
    const errno = (cpus: number) => {
      const machine = { ...question.machine, cpus };
      const idRegisters = Array.from({ length: cpus }, () => given(question.facts.idRegisters[0]));
      const facts = { ...question.facts, idRegisters };
      return predict({ ...question, machine, facts, probes: [probe] }).probes;
    };
    // The directory cpu1 of /sys/devices/system/cpu is missing: ENOENT.
    t.match(errno(1), [{ probe, errno: 2 }]);
    t.match(errno(2), [{ probe, errno: 0 }]);
  }
  t.end();
});
