// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PtdiffError } from '../../src/errors.ts';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { identitiesOf } from '../../src/scenario/cpus.ts';
import { parseScenarios } from '../../src/scenario/schema.ts';
import { given } from '../given.ts';

/** The message for wrong data; the test fails when there is none. */
function complaint(data: unknown): string {
  try {
    parseScenarios(data, 'file.yaml');
  } catch (error) {
    if (error instanceof PtdiffError && error.fault === 'usage') return error.message;
    throw error;
  }
  throw new Error('the data was taken');
}

t.test('what is left out has its default', async (t) => {
  t.same(parseScenarios({ name: 'mine', machine: { cpu: 'max' } }, 'file.yaml'), [
    {
      name: 'mine',
      machine: { cpu: 'max', cpus: 1, memory: 1024, holes: [], world: 'normal' },
      rodata: 'default',
      kaslr: false,
      parameters: [],
      probes: ['memfd_secret'],
    },
  ]);
});

t.test('a built-in scenario written to a file is the same scenario', async (t) => {
  t.same(parseScenarios([...builtInScenarios], 'file.yaml'), [...builtInScenarios]);
});

t.test('FEAT_RME is there only where the emulator makes the CPU of its max', async (t) => {
  const behindRme = (cpu: string) => ({
    name: 'x',
    machine: { cpu, world: 'realm', firmware: 'monitor-rme' },
  });
  t.equal(parseScenarios([behindRme('neoverse-v3-r0p2')], 'file.yaml').length, 1);
  t.match(complaint(behindRme('cortex-a76')), /machine\.firmware: may be 'monitor-rme' only with/);
  const none = complaint(behindRme('cortex-a1'));
  t.match(none, /must be a CPU of/);
  t.notMatch(none, /monitor-rme/);
});

t.test(
  'fields of ID registers: of 64 bits, with a value that fits, and with CPUs that the machine has',
  async (t) => {
    const withField = (field: object, machine: object = {}) => ({
      name: 'x',
      machine: {
        ...{ cpu: 'max', cpus: 2, firmware: 'monitor', ...machine },
        idFields: [{ register: 'ID_AA64MMFR1_EL1', bits: '3:0', value: 0, ...field }],
      },
    });
    t.equal(
      parseScenarios([withField({}), withField({ bits: '7', value: 1, cpus: [1, 0] })], 'file.yaml')
        .length,
      2,
    );
    t.equal(parseScenarios(withField({ cpus: [1] }), 'file.yaml').length, 1);
    t.match(complaint(withField({}, { firmware: undefined })), /firmware.*for idFields/);
    t.match(complaint(withField({ register: 'ID_AA64MMFR9_EL1' })), /register/);
    t.match(complaint(withField({ bits: '0:3' })), /bits: must be within 63:0/);
    t.match(complaint(withField({ bits: '64' })), /bits: must be within 63:0/);
    t.match(complaint(withField({ bits: 'HAFDBS' })), /bits: must be written as/);
    t.match(complaint(withField({ value: 16 })), /value: has more bits than the field/);
    t.match(complaint(withField({ cpus: [2] })), /must name CPUs of the machine/);
    t.match(
      complaint(withField({ bits: '7:4', cpus: [1] })),
      /may differ between them in ID_AA64MMFR2_EL1 55:52,/,
    );
    t.match(
      complaint(withField({ cpus: [1] }, { late: true })),
      /between late CPUs in the first of these/,
    );
  },
);

t.test('what a field says is not said by a parameter', async (t) => {
  const withParameter = (word: string) => ({
    name: 'x',
    machine: { cpu: 'max' },
    parameters: [word],
  });
  t.match(complaint(withParameter('mem=512M')), /mem=512M must be given as machine\.memory/);
  t.match(complaint(withParameter('maxcpus=1')), /machine\.cpus/);
  t.match(complaint(withParameter('arm64.nomte')), /machine\.idFields/);
  t.match(complaint(withParameter('id_aa64mmfr2.varange=0')), /machine\.idFields/);
  t.match(complaint(withParameter('nokaslr')), /as kaslr,/);
  // The kernel takes '-' for '_' in names, and leaves out quotes.
  t.match(complaint(withParameter('nr-cpus=1')), /machine\.cpus/);
  t.match(complaint(withParameter('"mem=512M"')), /machine\.memory/);
  t.match(complaint(withParameter('nosmp=1')), /machine\.cpus/);
  t.match(complaint(withParameter('id-aa64mmfr2.varange=0')), /machine\.idFields/);
  for (const word of ['memtest=1', 'kpti=1', 'crashkernel=128M']) {
    t.equal(parseScenarios(withParameter(word), 'file.yaml').length, 1, word);
  }
});

t.test('a parameter does not hide those behind it', async (t) => {
  const withParameter = (word: string) => ({
    name: 'x',
    machine: { cpu: 'max' },
    parameters: [word],
  });
  for (const word of ['foo="bar', '"foo', '--', '"--"']) {
    t.match(complaint(withParameter(word)), /must close its quotes, and not be '--'/, word);
  }
  for (const word of ['a b', 'caf\u00e0', 'a\u00a0b'])
    t.match(complaint(withParameter(word)), /one word of ASCII/, word);
  for (const word of ['foo="bar"', '"foo=bar"', '--=1', 'rodata=', '=']) {
    t.equal(parseScenarios(withParameter(word), 'file.yaml').length, 1, word);
  }
});

t.test('a typo names the file and the field', async (t) => {
  t.match(
    complaint({ name: 'x', machine: { cpu: 'max', memry: 512 } }),
    /^file\.yaml.*machine.*memry/,
  );
  t.match(complaint({ name: 'x', machine: { cpu: 'maxx' } }), /machine\.cpu/);
  for (const cpu of ['midr-0x', 'midr-410fd842', 'midr-0x0410fd842', 'midr-0x1410fd842'])
    t.match(complaint({ name: 'x', machine: { cpu } }), /machine\.cpu: must be a CPU of/);
  const named = parseScenarios({ name: 'x', machine: { cpu: 'midr-0x61770325' } }, 'f');
  t.match(identitiesOf(given(named[0]).machine), [
    { midr: 0x61770325n, qemu: /^max,midr=0x61770325,/ },
  ]);
  t.match(complaint({ name: 'a b', machine: { cpu: 'max' } }), /name.*letters/);
  t.match(
    complaint([
      { name: 'a', machine: { cpu: 'max' } },
      { name: 'b', machine: 'max' },
    ]),
    /scenario 2.*machine/,
  );
});

t.test('two holes begin at different addresses', (t) => {
  const withHoles = (...starts: number[]) => ({
    name: 'x',
    machine: { cpu: 'max', holes: starts.map((start, at) => ({ start, size: 4096 * (at + 1) })) },
  });
  t.throws(() => parseScenarios(withHoles(0x6000_0000, 0x6000_0000), 'f'), /different addresses/);
  const [apart] = parseScenarios(withHoles(0x6000_0000, 0x6000_1000), 'f');
  t.equal(apart?.machine.holes.length, 2);
  t.end();
});

t.test('holes lie inside the memory and on page borders', async (t) => {
  const withHole = (start: number, size: number) => ({
    name: 'x',
    machine: { cpu: 'max', memory: 1024, holes: [{ start, size }] },
  });
  t.match(complaint(withHole(0x3ffff000, 8192)), /inside the memory/);
  t.match(complaint(withHole(0x7ffff000, 8192)), /inside the memory/);
  t.match(complaint(withHole(0x60000800, 4096)), /page-aligned/);
  t.equal(given(parseScenarios(withHole(0x7ffff000, 4096), 'f')[0]).machine.holes.length, 1);
});

t.test('holes leave what a boot needs', async (t) => {
  const withHoles = (holes: [number, number][], rest: object = {}) => ({
    name: 'x',
    machine: {
      ...{ cpu: 'max', memory: 256, ...rest },
      holes: holes.map(([at, size]) => ({ start: 0x4000_0000 + at, size })),
    },
  });
  const taken = (data: object) => given(parseScenarios(data, 'f')[0]).machine.holes.length;
  const firmware = 'monitor';
  const MiB = 2 ** 20;
  const low = withHoles([
    [0, 2 * MiB],
    [132 * MiB, 4096],
  ]);
  t.equal(taken(low), 2, 'as boards have them');
  const inKernel = /scenario: machine: must have memory .*kernel \(2 to 62 MiB.*\(128 to 132 MiB\)/;
  t.match(complaint(withHoles([[2 * MiB, 4096]])), inKernel);
  const small = { memory: 130 };
  t.match(complaint(withHoles([[68 * MiB, 4096]], small)), /\(65 to 70 MiB\); a firmware loads/);
  t.equal(taken(withHoles([[2 * MiB, 4096]], { firmware })), 1);
  const pieces: [number, number][] = [1, 2, 3, 4].map((at) => [at * 50 * MiB, 4096]);
  t.match(
    complaint(withHoles(pieces, { firmware })),
    /machine: must have 64 MiB of memory in one piece/,
  );
  t.match(complaint({ machine: { memory: 127 } }), /memory.*128/);
  const hidden = withHoles([[132 * MiB, 100 * MiB]]);
  t.equal(taken(hidden), 1);
  const half = (memory: number) => withHoles([[70 * MiB, 66 * MiB]], { memory, firmware });
  t.equal(taken(half(194)), 1);
  t.match(complaint(half(193)), /memory: must be at least 128 MiB without its holes/);
  const realm = { machine: { ...hidden.machine, firmware, world: 'realm' } };
  t.match(complaint(realm), /machine\.memory: must be .*, and 256 MiB in a realm/);
});

t.test('a kernel is entered at EL2 only where it leaves it', async (t) => {
  const entered = (cpu: string, rest = {}, parameters: string[] = []) => ({
    name: 'x',
    machine: { cpu, entry: 'el2', ...rest },
    parameters,
  });
  for (const cpu of ['cortex-a35', 'cortex-a53', 'cortex-a57', 'cortex-a72'])
    t.equal(given(parseScenarios(entered(cpu), 'f')[0]).machine.entry, 'el2', cpu);
  for (const cpu of ['cortex-a55', 'cortex-a76', 'neoverse-n1', 'max', 'ampere1']) {
    t.match(complaint(entered(cpu)), /machine\.entry: .*without FEAT_VHE/, cpu);
    t.equal(parseScenarios(entered(cpu, {}, ['kvm-arm.mode=nvhe']), 'f').length, 1, cpu);
  }
  t.match(complaint(entered('cortex-a53', { firmware: 'monitor' })), /without a firmware/);
});

t.test('late CPUs are CPUs after the first', async (t) => {
  t.match(complaint({ name: 'x', machine: { cpu: 'max', late: true } }), /machine\.late.*has none/);
  t.equal(
    given(parseScenarios({ name: 'x', machine: { cpu: 'max', cpus: 2, late: true } }, 'f')[0])
      .machine.late,
    true,
  );
});

t.test('a device is a known one, and there once', async (t) => {
  const withDevices = (devices: string[]) => ({ name: 'x', machine: { cpu: 'max', devices } });
  t.match(complaint(withDevices(['floppy'])), /machine\.devices/);
  t.match(complaint(withDevices([])), /machine\.devices/);
  t.match(complaint(withDevices(['virtio-console', 'virtio-console'])), /machine\.devices.*twice/);
  t.same(given(parseScenarios(withDevices(['virtio-console']), 'f')[0]).machine.devices, [
    'virtio-console',
  ]);
});

t.test('a parameter is one word', async (t) => {
  t.match(
    complaint({ name: 'x', machine: { cpu: 'max' }, parameters: ['a b'] }),
    /parameters.*one word/,
  );
  t.match(
    complaint({ name: 'x', machine: { cpu: 'max' }, parameters: ['a\0b'] }),
    /parameters.*one word of ASCII/,
  );
});

t.test('memory nodes lie inside the memory, hold what boots, and suit the monitor', async (t) => {
  const nodes = (...nodes: [number, number][][]) => ({
    name: 'n',
    machine: {
      cpu: 'max',
      memory: 1024,
      firmware: 'monitor',
      nodes: nodes.map((ranges) => ranges.map(([start, size]) => ({ start, size }))),
    },
  });
  const [first, second]: [[number, number], [number, number]] = [
    [0x4000_0000, 0x1000_0000],
    [0x6000_0000, 0x1000_0000],
  ];
  t.equal(given(parseScenarios(nodes([first], [second]), 'f')[0]).machine.nodes?.length, 2);
  t.equal(given(parseScenarios(nodes([second, first]), 'f')[0]).machine.nodes?.length, 1);
  const wrong: [string, unknown, RegExp][] = [
    ['before the start', nodes([[0x3fe0_0000, 0x40_0000]], [second]), /lie inside the memory/],
    ['overlap', nodes([first], [[0x4fe0_0000, 0x40_0000]]), /not overlap/],
    ['beyond the end', nodes([first], [[0x7000_0000, 0x1020_0000]]), /lie inside the memory/],
    ['half a block', nodes([first], [[0x6000_0000, 0x1000]]), /whole 2 MiB/],
    [
      'too many',
      nodes(
        [first],
        ...[...Array(8).keys()].map((i): [number, number][] => [
          [0x6000_0000 + i * 0x40_0000, 0x20_0000],
        ]),
      ),
      /8 pieces/,
    ],
    ['no page', nodes([first], [[0x6000_0800, 0x1000]]), /must be page-aligned/],
    ['an empty node', nodes([first], []), /nodes/],
    [
      'no firmware',
      { name: 'n', machine: { cpu: 'max', nodes: [[{ start: 0x4000_0000, size: 0x1000_0000 }]] } },
      /need a firmware/,
    ],
  ];
  for (const [what, scenario, message] of wrong) {
    t.throws(() => parseScenarios(scenario, 'f'), { fault: 'usage', message }, what);
  }
  const high = nodes([[0x4000_0000, 0x20_0000]], [[0x6800_0000, 0x0800_0000]]);
  t.equal(given(parseScenarios(high, 'f')[0]).machine.nodes?.length, 2, 'or begin elsewhere');
  const hole = nodes([first], [second]);
  const inGap = {
    ...hole,
    machine: { ...hole.machine, holes: [{ start: 0x5000_0000, size: 4096 }] },
  };
  t.throws(
    () => parseScenarios(inGap, 'f'),
    { message: /machine.holes/ },
    'a hole where there is no memory',
  );
});

t.test(
  'everything may be left out: a file without a word is a max by the name of the file',
  async (t) => {
    const max = given(builtInScenarios[0]);
    t.equal(max.name, 'max');
    for (const data of [{}, { machine: {} }, { machine: { cpu: 'max' } }])
      t.same(parseScenarios(data, 'some/my max.yaml'), [{ ...max, name: 'my-max' }]);
    t.same(
      parseScenarios([{}, { rodata: 'off' }], 'two.yaml').map(({ name }) => name),
      ['two-1', 'two-2'],
    );
  },
);

t.test(
  'a file with an empty list is told of, rather than taken for no scenario at all',
  async (t) => {
    t.match(complaint([]), /^file\.yaml contains an empty list/);
  },
);
