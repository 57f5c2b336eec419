// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import type { KernelTraits } from '../../../src/linux/kernel-traits.ts';
import type { PhysicalRange } from '../../../src/linux/physical-range.ts';
import { parseRelease } from '../../../src/linux/release.ts';
import { recordDerivation } from '../../../src/model/derivation.ts';
import {
  type CrashReserveInputs,
  reserve_crashkernel_generic,
} from '../../../src/model/kernel/crash_reserve.ts';
import { memblock_find_in_range } from '../../../src/model/mm/memblock.ts';

const MIB = 2 ** 20;
const RAM = 0x4000_0000;

const range = (start: number, mib: number): PhysicalRange => ({ start, end: start + mib * MIB });

/**
 * A machine of so many MiB whose kernel lies at its start, and what memblock had reserved at its
 * end.
 */
function machine(
  mib: number,
  reserved: PhysicalRange[] = [],
): Omit<CrashReserveInputs, 'parameters'> {
  return {
    traits: { config: { crashReserve: true }, release: parseRelease('7.3.4') } as KernelTraits,
    memory: [range(RAM, mib)],
    physMemSize: mib * MIB,
    startOfDram: RAM,
    endOfDram: RAM + mib * MIB,
    taken: [range(RAM + 2 * MIB, 44)],
    facts: { memblockReserved: reserved },
  };
}

function place(
  inputs: Omit<CrashReserveInputs, 'parameters'>,
  value: string,
  crashKernel?: number,
): string | undefined {
  const facts = { ...inputs.facts, ...(crashKernel !== undefined && { crashKernel }) };
  const found = reserve_crashkernel_generic(
    { ...inputs, facts, parameters: [`crashkernel=${value}`] },
    () => {},
  );
  return found && `${(found.end - found.start) / MIB}@0x${found.start.toString(16)}`;
}

/** What the derivation says of the parameters of a boot. */
function outcome(inputs: Omit<CrashReserveInputs, 'parameters'>, ...parameters: string[]): string {
  const { steps, why } = recordDerivation();
  reserve_crashkernel_generic({ ...inputs, parameters }, why);
  return steps.map((step) => step.outcome).join('; ');
}

/** CMA, page tables and struct pages of 700 MiB: memblock gives from the top. */
const top = range(0x6590_0000, 99);

t.test(
  'an address outside of the memory is refused: 128M@0x60000000 on a machine of 300 MiB',
  async (t) => {
    t.equal(place(machine(300), '128M@0x60000000'), undefined);
    t.equal(place(machine(1024), '128M@0x60000000'), '128@0x60000000');
    t.equal(place(machine(600), '128M@0x60000000'), undefined, 'and one that begins in it');
  },
);

t.test(
  'an address in use is refused: 128M@0x60000000 on a machine of 700 MiB whose top memblock gave to others',
  async (t) => {
    const hole = { memory: [range(RAM, 448), range(0x5e10_0000, 219)] };
    t.equal(place({ ...machine(700, [top]), ...hole }, '128M@0x60000000'), undefined);
    t.equal(
      place({ ...machine(700, [top]), ...hole }, '64M@0x60000000'),
      '64@0x60000000',
      'what is free below it is given',
    );
    t.equal(
      place(machine(700, [top]), '32M@0x40200000'),
      undefined,
      'the kernel itself lies there',
    );
    t.equal(
      place({ ...machine(700), ...hole }, '64M@0x5a000000'),
      undefined,
      'no-map memory lies there',
    );
    t.equal(
      place(machine(700, [range(RAM, 2)]), '2M@0x40000000'),
      undefined,
      'what is reserved below the kernel is in use, too',
    );
    t.equal(place(machine(700), '2M@0x40000000'), '2@0x40000000');
  },
);

t.test('an address that is not aligned to 2 MiB is refused, and one beyond 64 bits', async (t) => {
  t.equal(place(machine(1024), '64M@0x60100000'), undefined);
  t.equal(place(machine(1024), '64M@0xfffffffffc000000'), undefined);
  t.equal(place(machine(1024), '64M@1'), undefined, 'an address of 1 is one, too');
});

t.test('a kernel without CONFIG_CRASH_RESERVE reserves nothing', async (t) => {
  const { traits, ...rest } = machine(1024);
  const without = { ...traits, config: { ...traits.config, crashReserve: false } };
  t.equal(place({ ...rest, traits: without }, '64M', 0x7000_0000), undefined);
  t.equal(place({ ...rest, traits }, '64M', 0x7000_0000), '64@0x70000000');
});

t.test('the derivation says how much is reserved, and where nothing was free', async (t) => {
  const told: [mib: number, value: string, outcome: RegExp][] = [
    [1024, '64M', /^64 MiB are reserved/],
    [300, '128M@0x60000000', /^finds no 128 MiB at 0x60000000 that are free/],
    [1024, '64M@1', /^finds no 64 MiB at 0x1 that are free/],
    [300, '290M', /^finds no 290 MiB that are free/],
    [300, '300M', /^refuses crashkernel=/],
  ];
  for (const [mib, value, words] of told)
    t.match(outcome(machine(mib), 'quiet', `crashkernel=${value}`), words, value);
  t.equal(outcome(machine(1024), 'quiet'), '', 'nothing of it where it is not asked for');
});

t.test(
  'a kernel that reserves nothing where there is room is contradicted, one that says where is believed',
  async (t) => {
    t.equal(place(machine(1024), '128M@0x60000000'), '128@0x60000000');
    t.equal(
      place(machine(1024, [range(0x7a90_0000, 87)]), '64M'),
      '64@0x76800000',
      'the highest place, by the rule',
    );
    t.equal(place(machine(1024, [range(0x7a90_0000, 87)]), '64M', 0x7000_0000), '64@0x70000000');
    const first = 0x42e0_0000;
    t.equal(place(machine(1024), '64M', first), '64@0x42e00000', 'also right behind the kernel');
    t.equal(
      place(machine(1024, [range(0x6000_0000, 64)]), '64M', 0x5c00_0000),
      '64@0x5c000000',
      'and right before what is in use',
    );
    const dead = { ...machine(1024), facts: {} };
    t.equal(place(dead, '64M'), undefined, 'a guest that told nothing cannot be contradicted');
  },
);

t.test('a place that the rule forbids is not believed', async (t) => {
  for (const wrong of [0x4100_0000, 0x7010_0000, 0x7d00_0000, 0x8000_0000]) {
    t.equal(place(machine(1024), '64M', wrong), '64@0x7c000000', wrong.toString(16));
  }
  t.equal(place(machine(1024), '64M@0x60000000', 0x7000_0000), '64@0x60000000');
});

t.test('too much for any place is refused', async (t) => {
  t.equal(place(machine(300, [range(0x4800_0000, 3)]), '250M'), undefined);
  t.equal(place(machine(300), '300M'), undefined, 'as much as there is memory');
});

t.test(
  'SIZE,high lies above 4 GiB, with low memory beside it, or below where there is nothing above',
  async (t) => {
    const large = { ...machine(5120), endOfDram: RAM + 5120 * MIB };
    t.equal(place(large, '64M,high'), '64@0x17c000000');
    t.equal(place(machine(1024), '64M,high'), '64@0x7c000000');
    t.equal(place(large, '64M'), '64@0xfc000000');
    const full = { ...large, taken: [{ start: RAM, end: 2 ** 32 }] };
    t.equal(place(full, '64M,high'), undefined, 'without low memory it is given back');
    t.equal(place(full, '64M'), undefined, 'which SIZE needs, too, where it lies above');
    t.equal(place(full, '64M@0x100000000'), '64@0x100000000', 'but not SIZE@OFFSET');
    const almost = { ...large, taken: [{ start: RAM, end: 2 ** 32 - 16 * MIB }] };
    t.equal(place(almost, '64M,high'), undefined, 'by default that is 128 MiB');
    t.equal(
      place(almost, '64M,high crashkernel=16M,low'),
      '64@0x17c000000',
      'with SIZE,low it is as much as that says',
    );
    const exact = { ...full, memory: [range(RAM, 3072 + 64)], endOfDram: 2 ** 32 + 64 * MIB };
    t.equal(place(exact, '64M,high'), undefined, '4 GiB itself is not low');
    t.equal(
      place(exact, '64M,high crashkernel=0,low'),
      '64@0x100000000',
      'and with 0,low nothing is needed beside it',
    );
    const last = { ...machine(1024), taken: [range(RAM, 1024 - 64)] };
    t.equal(place(last, '64M'), '64@0x7c000000', 'low memory needs no other beside it');
  },
);

t.test('where no memory is below 4 GiB, all of it is low', async (t) => {
  const start = 5 * 2 ** 30;
  const memory = [range(start, 1024)];
  const high = { ...machine(1024), memory, taken: [], startOfDram: start, endOfDram: 6 * 2 ** 30 };
  t.equal(place(high, '64M'), '64@0x17c000000', 'so that nothing is needed beside it');
  t.equal(place(high, '64M,high'), '64@0x17c000000');
  const reaching = { ...high, memory: [range(2 ** 32 - 2 ** 21, 1024 + 2)] };
  const last = { ...reaching, startOfDram: 2 ** 32 - 1, endOfDram: 2 ** 32 + 2 ** 30 };
  t.equal(place(last, '64M'), '64@0x13c000000', 'the last byte below it is not there as a page');
  const lower = { ...reaching, startOfDram: 2 ** 32 - 2 ** 21, endOfDram: 2 ** 32 + 2 ** 30 };
  t.equal(place(lower, '64M'), undefined, 'with 2 MiB below, low memory is scarce');
});

t.test('memblock never gives address 0, which stands for none', async (t) => {
  const free = [{ start: 0, end: 2 }];
  t.equal(memblock_find_in_range(free, 1, 1, { start: 0, end: 2 }), 1);
  t.equal(memblock_find_in_range(free, 1, 1, { start: 0, end: 1 }), undefined);
  t.equal(memblock_find_in_range(free, 2, 1, { start: 0, end: 2 }), undefined);
});

t.test('memblock gives the highest aligned place that is free', async (t) => {
  const two = [
    { start: 1, end: 9 },
    { start: 20, end: 29 },
  ];
  t.equal(memblock_find_in_range(two, 4, 4, { start: 0, end: 40 }), 24);
  const number = fc.integer({ min: 1, max: 60 });
  const ranges = fc.array(fc.tuple(number, number), { maxLength: 4 }).map((list) => {
    let at = 0;
    return list.map(([gap, size]) => {
      const start = at + gap;
      at = start + size;
      return { start, end: at };
    });
  });
  fc.assert(
    fc.property(
      ranges,
      number,
      fc.constantFrom(1, 2, 4, 8),
      number,
      number,
      (free, size, align, from, length) => {
        const window = { start: from, end: from + length };
        const fits = (start: number): boolean =>
          start % align === 0 &&
          start >= window.start &&
          start + size <= window.end &&
          free.some((part) => start >= part.start && start + size <= part.end);
        const places = Array.from({ length: 300 }, (_, start) => start).filter(fits);
        t.equal(memblock_find_in_range(free, size, align, window), places.at(-1));
      },
    ),
  );
});
