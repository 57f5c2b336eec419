// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { contains } from '../../../src/linux/physical-range.ts';
import { cpus } from '../../../src/scenario/cpus.ts';
import { deviceNames } from '../../../src/scenario/devices.ts';
import { memoryRanges } from '../../../src/scenario/memory.ts';
import { randomMachines } from '../../../src/scenario/random/machines.ts';
import { fixedCma, randomParameters } from '../../../src/scenario/random/parameters.ts';
import { checkParameter, parseScenarios } from '../../../src/scenario/schema.ts';
import { stableJson } from '../../../src/stable-json.ts';

const many = fc.sample(randomMachines, { seed: 1, numRuns: 1500 });

/** The same whatever the order of members. */
const sorted = (scenario: object): string => stableJson(scenario);

t.test('each is a scenario that a user may write', async (t) => {
  const written = many.map((scenario, index) => ({ ...scenario, name: `m${index}` }));
  const asFile: unknown = JSON.parse(JSON.stringify(written));
  t.equal(
    JSON.stringify(parseScenarios(asFile, 'any.json').map(sorted)),
    JSON.stringify(written.map(sorted)),
  );
});

t.test('memory is reserved at a fixed address only where there is some', async (t) => {
  const asking = many.filter(({ parameters }) => parameters.includes(fixedCma.word));
  t.ok(asking.length > 0);
  t.ok(asking.every(({ machine }) => contains(memoryRanges(machine), fixedCma.range)));
});

t.test('all that a scenario may have comes, and so does what leaves it out', async (t) => {
  const part = (has: (each: (typeof many)[number]) => unknown) =>
    many.filter((each) => Boolean(has(each))).length / many.length;
  const shares = {
    realms: part(({ machine }) => machine.world === 'realm'),
    FEAT_RME: part(({ machine }) => machine.firmware === 'monitor-rme'),
    'no firmware': part(({ machine }) => machine.firmware === undefined),
    'entered at EL2': part(({ machine }) => machine.entry),
    'several CPUs': part(({ machine }) => machine.cpus > 1),
    'other CPUs': part(({ machine }) => machine.others),
    'late CPUs': part(({ machine }) => machine.late),
    'CPUs that go and come': part(({ probes }) => probes.includes('cpu_hotplug')),
    'ID fields': part(({ machine }) => machine.idFields),
    'ID fields of one CPU': part(({ machine }) => machine.idFields?.some((field) => field.cpus)),
    holes: part(({ machine }) => machine.holes.length),
    nodes: part(({ machine }) => machine.nodes),
    'holes in the first 256 MiB': part(({ machine }) =>
      machine.holes.some(({ start }) => start < 0x5000_0000),
    ),
    'memory behind a gap': part(({ machine }) =>
      machine.nodes?.flat().every(({ start }) => start > 0x4000_0000),
    ),
    'less than 256 MiB': part(({ machine }) => machine.memory < 256),
    devices: part(({ machine }) => machine.devices),
    'no ITS': part(({ machine }) => machine.its === false),
    KASLR: part(({ kaslr }) => kaslr),
    KFENCE: part(({ kfenceSampleInterval }) => kfenceSampleInterval),
    parameters: part(({ parameters }) => parameters.length),
    plain: part(({ plain }) => plain),
  };
  for (const [what, share] of Object.entries(shares))
    t.ok(share > 0.02 && share < 0.98, `${what}: ${(100 * share).toFixed(1)} %`);
  const seen = new Set(
    many.flatMap(({ machine, parameters, rodata }) => [
      machine.cpu,
      ...(machine.devices ?? []),
      ...parameters,
      rodata,
    ]),
  );
  const wanted = [...cpus.map(({ name }) => name), ...deviceNames, ...randomParameters];
  t.same(
    [...wanted, 'default', 'noalias', 'off'].filter((each) => !seen.has(each)),
    [],
  );
});

t.test('a parameter is one that a scenario may have, and stands in the list once', async (t) => {
  for (const word of randomParameters) t.doesNotThrow(() => checkParameter(word), word);
  t.equal(new Set(randomParameters).size, randomParameters.length);
});

t.test('what shows everywhere shrinks to the simplest machine', async (t) => {
  const result = fc.check(
    fc.property(randomMachines, () => false),
    { seed: 3, numRuns: 1 },
  );
  const [smallest] = result.counterexample ?? [];
  t.match(smallest, {
    machine: { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' },
    rodata: 'default',
    kaslr: false,
    parameters: [],
    probes: ['memfd_secret'],
  });
  const { machine } = smallest as (typeof many)[number];
  t.same(
    [machine.firmware, machine.others, machine.nodes, machine.devices, machine.late],
    [undefined, undefined, undefined, undefined, undefined],
  );
});
