// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { failureOf } from '../../../../harness/laboratory/farm/job-table.ts';
import { isLost } from '../../../../harness/laboratory/farm/link.ts';
import { caseJobSchema, checkedScenario } from '../../../../harness/laboratory/farm/protocol.ts';
import { builtInScenarios } from '../../../../src/scenario/built-in.ts';
import { stableJson } from '../../../../src/stable-json.ts';
import { given } from '../../../given.ts';

const hash = 'a'.repeat(64);
const job = (scenario: unknown) => ({
  schema: 1,
  ptdiff: hash,
  run: '0123456789abcdef',
  case: { name: '7.3.4@max', scenario, depth: 'early' },
  kernel: {
    spec: 'debian:7.3',
    release: '7.3.4',
    version: '7.3.4-1',
    flavour: 'arm64',
    sha256: hash,
    source: 'a package',
  },
  emulator: hash,
  initramfs: hash,
});

t.test('every built-in scenario reaches a worker as it is', async (t) => {
  const changed = builtInScenarios.filter((scenario) => {
    const { data } = caseJobSchema.safeParse(JSON.parse(JSON.stringify(job(scenario))));
    return !data || stableJson(checkedScenario(data.case.scenario)) !== stableJson(scenario);
  });
  t.same(
    changed.map(({ name }) => name),
    [],
  );
});

t.test('a job holds what a case is, and neither a command nor a path', async (t) => {
  const plain = job(given(builtInScenarios[0]));
  t.ok(caseJobSchema.safeParse(plain).success);
  const hostile: [string, unknown][] = [
    ['a command', { ...plain, command: ['sh', '-c', 'true'] }],
    ['a repeated boot', { ...plain, case: { ...plain.case, replay: { cpu: 'max,x=$(id)' } } }],
    ['a hold', { ...plain, case: { ...plain.case, hold: {} } }],
    ['a name that leads elsewhere', { ...plain, case: { ...plain.case, name: '../../etc' } }],
    ['an Image by its path', { ...plain, kernel: { ...plain.kernel, imagePath: '/dev/zero' } }],
    ['a hash that is none', { ...plain, kernel: { ...plain.kernel, sha256: '../Image' } }],
    ['a device of its own', job({ ...plain.case, machine: { devices: ['vfio-pci'] } })],
  ];
  for (const [what, value] of hostile) t.notOk(caseJobSchema.safeParse(value).success, what);
});

t.test('a scenario that no user may write is refused by a worker, too', async (t) => {
  const scenario = given(builtInScenarios[0]);
  const { machine } = scenario;
  for (const wrong of [
    { ...scenario, machine: { ...machine, memory: 2 ** 40 } },
    { ...scenario, machine: { ...machine, cpu: 'max,host-phys-bits=on' } },
    { ...scenario, parameters: ['init=/bin/sh\nx'] },
  ])
    t.throws(() => checkedScenario(wrong), { name: 'PtdiffError' });
});

t.test('why a job failed is told as the run would have met it', async (t) => {
  const failure = (fault: string) =>
    failureOf(JSON.stringify({ fault, message: 'The disk is full.', worker: 'w1' }));
  t.match(failure('host'), { fault: 'host', message: 'The disk is full (on the worker w1).' });
  t.match(failure('image'), { fault: 'image', message: 'The disk is full.' });
  t.match(failureOf('job stalled more than allowable limit'), {
    fault: 'host',
    message: /^3 workers were lost while they ran it, which tells nothing of the kernel/,
  });
  t.match(failureOf('{"fault":"kernel"}'), { fault: 'harness' });
});

t.test('a connection that fails is told from a question that does', async (t) => {
  for (const text of ['connect ECONNREFUSED 127.0.0.1:1', 'Connection is closed.', 'LOADING data'])
    t.ok(isLost(new Error(text)), text);
  for (const text of ['WRONGPASS invalid', 'NOPERM this user', 'WRONGTYPE Operation'])
    t.notOk(isLost(new Error(text)), text);
});
