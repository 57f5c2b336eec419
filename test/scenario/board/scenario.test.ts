// SPDX-License-Identifier: GPL-2.0-only
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parse } from 'yaml';
import {
  contains,
  join,
  roundInward,
  roundOutward,
  subtract,
} from '../../../src/linux/physical-range.ts';
import { boardScenarioFile } from '../../../src/report/board-scenario.ts';
import type { BoardFacts } from '../../../src/scenario/board/facts.ts';
import { unitOf } from '../../../src/scenario/board/pieces.ts';
import { boardScenario } from '../../../src/scenario/board/scenario.ts';
import { expectedIdRegisters } from '../../../src/scenario/cpu-registers.ts';
import { identitiesOf } from '../../../src/scenario/cpus.ts';
import { RAM_BASE, ramRanges } from '../../../src/scenario/memory.ts';
import { parseScenarios } from '../../../src/scenario/schema.ts';
import type { Machine } from '../../../src/scenario/types.ts';
import { given } from '../../given.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const range = (start: number, size: number) => ({ start, end: start + size });

/** A board of two CPUs like the emulator's, with 2 GiB where it has its own. */
function boardWith(changes: Partial<BoardFacts> = {}): BoardFacts {
  const machine: Machine = { cpu: 'max', cpus: 2, memory: 1024, holes: [], world: 'normal' };
  const registers = expectedIdRegisters(machine).map((own) => ({
    ...own,
    MIDR_EL1: 0x410fd842n,
  }));
  return {
    label: 'bench 3',
    granule: 4096,
    present: [range(GiB, 2 * GiB)],
    noMap: [],
    cpus: registers.map((own) => ({ registers: own })),
    overrides: [],
    world: 'normal',
    kaslr: false,
    commandLine: 'console=ttyS0',
    ...changes,
  };
}

/** The memory that the kernel maps, as places within the largest leaf. */
function mapped({ machine }: { machine: Machine }) {
  const holes = machine.holes
    .map(({ start, size }) => range(start, size))
    .sort((a, b) => a.start - b.start);
  return ramRanges(machine).flatMap((ram) => subtract(ram, holes));
}

t.test('a board that the emulator can have is written as it is', async (t) => {
  const { made, changes } = boardScenario(
    boardWith({
      commandLine: 'rodata=off kfence.sample_interval=100 kpti=on quiet root=/dev/sda1',
    }),
  );
  t.same(made, {
    name: 'board-bench-3',
    machine: { cpu: 'neoverse-v3-r0p2', cpus: 2, memory: 2048, holes: [], world: 'normal' },
    rodata: 'off',
    kfenceSampleInterval: 100,
    kaslr: false,
    parameters: ['kpti=on'],
    probes: ['memfd_secret'],
  });
  t.same(changes, ['Parameters left out: quiet, root.'], 'with the rest said, but not its values');
});

t.test('CPUs that nobody listed are there by their MIDR, and fields by the monitor', async (t) => {
  const [own] = boardWith().cpus;
  const registers = given(own).registers;
  const withBbm = (midr: bigint, bbm: bigint) => ({
    registers: {
      ...registers,
      MIDR_EL1: midr,
      ID_AA64MMFR2_EL1: (given(registers.ID_AA64MMFR2_EL1) & ~(15n << 52n)) | (bbm << 52n),
    },
  });
  const { made } = boardScenario(
    boardWith({
      cpus: [withBbm(0x410fd842n, 2n), withBbm(0x61770325n, 0n)],
      overrides: [{ register: 'ID_AA64MMFR3_EL1', value: 0n, mask: 0xf00n }],
    }),
  );
  t.equal(made.machine.firmware, 'monitor');
  t.same(
    identitiesOf(made.machine).map(({ midr }) => midr),
    [0x410fd842n, 0x61770325n],
  );
  const seen = expectedIdRegisters(made.machine);
  t.same(
    seen.map(({ ID_AA64MMFR2_EL1 }) => (given(ID_AA64MMFR2_EL1) >> 52n) & 15n),
    [2n, 0n],
    'each with its own BBM',
  );
  t.ok(
    seen.every(({ ID_AA64MMFR3_EL1 }) => (given(ID_AA64MMFR3_EL1) & 0xf00n) === 0n),
    'what the command line takes away is a field',
  );
});

t.test('what the emulator does not have is said', async (t) => {
  const [own] = boardWith().cpus;
  const registers = { ...given(own).registers, ID_AA64PFR1_EL1: 0x300n };
  const cpus = Array.from({ length: 128 }, () => ({ registers }));
  const { made, changes } = boardScenario(
    boardWith({ cpus, kaslr: true, commandLine: 'maxcpus=1 nokaslr' }),
  );
  t.equal(made.machine.cpus, 2);
  t.equal(made.machine.late, true);
  t.same(made.probes, ['cpu_online', 'memfd_secret']);
  t.same(made.parameters, []);
  t.match(changes.join('\n'), /2 CPUs stand for the 128/);
  t.match(changes.join('\n'), /MTE is 1 and not 3/);
  t.match(changes.join('\n'), /slide of KASLR is another/);
});

t.test('banks far apart come together, and every border keeps its place', async (t) => {
  const present = [range(2 * GiB, 2 * GiB - 3 * MiB), range(512 * GiB, 600 * GiB)];
  const noMap = [range(2 * GiB + 300 * MiB, 64 * 1024), range(600 * GiB + 5 * MiB, MiB)];
  const { made, changes } = boardScenario(boardWith({ present, noMap }));
  t.equal(made.machine.firmware, 'monitor', 'which several nodes need');
  const borders = mapped(made).flatMap(({ start, end }) => [start % GiB, end % GiB]);
  const real = present
    .flatMap((bank) => subtract(bank, noMap))
    .flatMap(({ start, end }) => [start % GiB, end % GiB]);
  t.same(borders, real);
  t.ok(made.machine.memory <= 20 * 1024, 'in little memory');
  t.match(changes.join('\n'), /Memory from 0x80000000 on lies at 0x40000000/);
  t.match(changes.join('\n'), /GiB of memory are left out/);
});

t.test('boards keep what lies in their first memory', async (t) => {
  const pi = boardWith({ present: [range(0, 948 * MiB)], noMap: [range(0, 512 * 1024)] });
  const { made, changes } = boardScenario(pi);
  t.match(made.machine, { memory: 948, holes: [{ start: RAM_BASE, size: 512 * 1024 }] });
  t.equal(made.machine.firmware, undefined, 'which takes no monitor');
  t.same(changes.slice(0, -1), ['Memory from 0x0 on lies at 0x40000000.']);

  // TF-A in the first 2 MiB, OP-TEE at 132 MiB; the RAM disk lies right before that.
  const rockchip = boardWith({
    present: [range(2 * MiB, 2 * GiB - 2 * MiB)],
    noMap: [range(0x0840_0000, 16 * MiB)],
  });
  const second = boardScenario(rockchip).made.machine;
  t.same(second.nodes, [[{ start: RAM_BASE + 2 * MiB, size: 2 * GiB - 2 * MiB }]]);
  t.same(second.holes, [{ start: RAM_BASE + 0x0840_0000, size: 16 * MiB }]);
  t.equal(second.firmware, 'monitor', 'without which memory begins where QEMU has it');

  const early = boardWith({ present: [range(0, GiB)], noMap: [range(32 * MiB, 4096)] });
  t.equal(
    boardScenario(early).made.machine.firmware,
    'monitor',
    'a hole where QEMU has the kernel',
  );
  const small = boardWith({ present: [range(0, 40 * MiB), range(600 * MiB, 900 * MiB)] });
  const banks = boardScenario(small).made.machine;
  t.same(
    mapped({ machine: banks }).map(({ start, end }) => [start - RAM_BASE, end - RAM_BASE]),
    [
      [0, 40 * MiB],
      [600 * MiB, 1500 * MiB],
    ],
    'a small first bank',
  );
});

t.test('where the kernel lies otherwise than on the board, that is said', async (t) => {
  const said = (image: number) => boardScenario(boardWith({ image })).changes.join('\n');
  t.match(
    said(GiB + 8 * MiB),
    /lies at 0x40200000, not as on the board, where it is at 0x40800000/,
  );
  t.notMatch(
    said(5 * GiB + 2 * MiB),
    /The kernel lies/,
    'but not where whole GiBs are the difference',
  );
});

t.test('where no piece of memory holds a kernel, some is added', async (t) => {
  const splinters = Array.from({ length: 6 }, (_, at) => range(at * 80 * MiB, 60 * MiB));
  const { made, changes } = boardScenario(boardWith({ present: splinters }));
  const [boot, ...others] = mapped(made);
  t.same(boot, range(RAM_BASE, 256 * MiB));
  t.same(
    others.map(({ start, end }) => [start % GiB, end % GiB]),
    splinters.map(({ start, end }) => [start, end]),
  );
  t.match(changes.join('\n'), /256 MiB at 0x40000000 are added/);
  const little = boardScenario(boardWith({ present: [range(0, 200 * MiB)], world: 'realm' }));
  t.match(little.changes.join('\n'), /are added.*or at all/, 'nor with too little for a realm');
  const enough = boardScenario(boardWith({ present: [range(0, 200 * MiB)] }));
  t.equal(enough.made.machine.memory, 200);
});

const size = fc.oneof(
  fc.nat(64).map((pages) => pages * 4096),
  fc.nat(3000).map((mebibytes) => mebibytes * MiB),
  fc.nat(2000).map((gibibytes) => gibibytes * GiB),
  fc.nat(2 ** 31),
);

/** Banks and holes of any size at any place. */
const memory = fc.array(fc.tuple(size, size, fc.boolean()), { maxLength: 24 }).map((parts) => {
  const present: { start: number; end: number }[] = [];
  const noMap: typeof present = [];
  let at = 0;
  for (const [gap, bytes, hidden] of parts) {
    const bank = range(at + gap, bytes + 1);
    at = bank.end;
    present.push(bank);
    if (hidden) noMap.push(bank);
  }
  return { present, noMap };
});

const value = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const registers = fc.oneof(
  fc.constant(given(boardWith().cpus[0]).registers),
  fc.record(
    {
      MIDR_EL1: fc.oneof(fc.constantFrom(0x410fd842n, 0x414fd0b1n, 0x461f0010n), value),
      ID_AA64PFR0_EL1: value,
      ID_AA64PFR1_EL1: value,
      ID_AA64MMFR0_EL1: value,
      ID_AA64MMFR1_EL1: value,
      ID_AA64MMFR2_EL1: value,
      ID_AA64MMFR3_EL1: value,
    },
    { requiredKeys: [] },
  ),
);

const words = fc.array(
  fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...['maxcpus=1', 'nosmp', 'rodata=off', 'rodata=full', 'kfence.sample_interval=10', '--'],
      ...['kfence.sample-interval=x', 'arm64.nobti', 'mem=1G', 'a="b c"', 'x="', 'crashkernel=1G'],
    ),
  ),
  { maxLength: 40 },
);

const boards: fc.Arbitrary<BoardFacts> = fc
  .tuple(
    memory,
    fc.record({
      label: fc.string({ minLength: 1 }),
      granule: fc.constantFrom(4096 as const, 16384 as const, 65536 as const),
      cpus: fc.array(
        registers.map((own) => ({ registers: own as Record<string, bigint> })),
        { maxLength: 20 },
      ),
      overrides: fc.array(
        fc.record({
          register: fc.constantFrom('ID_AA64MMFR2_EL1', 'ID_AA64PFR0_EL1', 'ID_AA64SMFR0_EL1'),
          value,
          mask: value,
        }),
        { maxLength: 3 },
      ),
      world: fc.constantFrom('normal' as const, 'realm' as const),
      kaslr: fc.boolean(),
      commandLine: words.map((list) => list.join(' ')),
    }),
  )
  .map(([places, rest]) => ({ ...places, ...rest }));

t.test('every scenario that is written can be read, and says the same', async (t) => {
  let nodes = 0;
  fc.assert(
    fc.property(boards, (board) => {
      const { made } = boardScenario(board);
      const text = boardScenarioFile(board, 'debian:7.3', 'scenario.yaml');
      const [read] = parseScenarios(parse(text), 'scenario.yaml');
      deepStrictEqual(read, made);
      const isPlain = text.split('\n').every((line) => !line.startsWith('#') || line.length <= 100);
      if (!isPlain) throw new Error(`a long line in\n${text}`);
      if (made.machine.nodes) nodes++;
    }),
    { numRuns: 400, seed: 15 },
  );
  t.ok(nodes > 50, `${nodes} of them have memory in several nodes`);
});

t.test('memory that the kernel maps has the borders of the board', async (t) => {
  fc.assert(
    fc.property(boards, (board) => {
      const { made, changes } = boardScenario(board);
      if (changes.some((text) => /at the end|smallest|not known/.test(text))) return;
      const unit = unitOf(board.granule);
      const whole = board.present.map((bank) => roundInward(bank, 4096));
      const banks = join(whole.filter(({ start, end }) => start < end));
      const hidden = join(board.noMap.map((hole) => roundOutward(hole, 4096)));
      const real = banks.flatMap((bank) => subtract(bank, hidden));
      const found = mapped(made).filter(
        ({ start }) => !changes.some((text) => text.includes('are added')) || start !== RAM_BASE,
      );
      const borders = (list: typeof real) =>
        list.flatMap(({ start, end }) => [start % unit, end % unit]);
      if (String(borders(found)) !== String(borders(real)))
        throw new Error(`${borders(found)} and not ${borders(real)}`);
      if (!contains([range(RAM_BASE, 64 * GiB)], range(RAM_BASE, made.machine.memory * MiB)))
        throw new Error('too large');
    }),
    { numRuns: 400, seed: 15 },
  );
  t.pass('for every board');
});
