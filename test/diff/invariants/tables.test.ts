// SPDX-License-Identifier: GPL-2.0-only
/** Defects of the tables themselves, and of the registers that CPUs walk them with. */
import t from 'tap';
import { soundTables } from '../../../src/diff/invariants/sound-tables.ts';
import { given } from '../../given.ts';
import { addKernel, checkDefects, ramPlus } from '../defects.ts';
import { linearStart, MiB, prot, soundContext, TABLE, vmalloc } from '../synthetic.ts';

checkDefects(t, [
  [
    'a table page has a writable alias in vmalloc space',
    addKernel(vmalloc + 0x1_0000n, ramPlus(48 * MiB), prot.data),
    ['invariant/tables-mapped-once/writable-alias@init'],
  ],
  [
    'CPU 1 has another root',
    (context) => {
      given(context.capture.cpus[1]).registers.TTBR1_EL1 += 0x1000n;
    },
    ['invariant/cpus-agree/TTBR1_EL1@init'],
  ],
  [
    'CPU 1 has another MAIR',
    (context) => {
      given(context.capture.cpus[1]).registers.MAIR_EL1 ^= 0x0fn;
    },
    ['invariant/cpus-agree/MAIR_EL1@init'],
  ],
  [
    'CPU 1 has permission indirection, CPU 0 has not',
    (context) => {
      given(context.capture.cpus[1]).registers.PIR_EL1 = 0xcc880e0ac0800000n;
    },
    ['invariant/cpus-agree/PIR_EL1@init'],
  ],
  [
    'all CPUs walk non-cacheable',
    (context) => {
      for (const { registers } of context.capture.cpus) registers.TCR_EL1 &= ~(3n << 24n);
    },
    ['invariant/translation-controls/TCR_EL1.IRGN1@init'],
  ],
  [
    'a descriptor is malformed',
    (context) =>
      context.capture.ttbr1.malformed.push({
        va: 0xffff_0000_0123_4000n,
        level: 3,
        at: 0x4800_0000,
        descriptor: 0x10n,
        reason: 'A contiguous group is partial: entry 3 of 16 is no part of it.',
      }),
    ['invariant/sound-tables/a-contiguous-group-is-partial@init'],
  ],
  [
    'a table lies outside RAM',
    (context) => {
      given(context.capture.ttbr1.tables[2]).pa = 0x900_0000;
    },
    ['invariant/sound-tables/outside-ram@init'],
  ],
  [
    'a table of user space lies outside RAM',
    (context) => {
      given(context.capture.ttbr0?.tables[0]).pa = 0x900_0000;
    },
    ['invariant/sound-tables/outside-ram@init'],
  ],
  [
    'the root serves as a table of the linear map once more',
    (context) => {
      given(context.capture.ttbr1.tables[2]).pa = given(context.capture.ttbr1.tables[0]).pa;
    },
    ['invariant/sound-tables/shared@init'],
  ],
  [
    'two tables of the linear map share a page',
    (context) =>
      context.capture.ttbr1.tables.push({
        ...given(context.capture.ttbr1.tables[2]),
        va: linearStart + 0x4000_0000n,
        attributes: TABLE,
      }),
    ['invariant/sound-tables/shared@init'],
  ],
]);

t.test('each kind of malformed entry is a finding, with where it is as far as known', async (t) => {
  const context = soundContext();
  const va = 0xffff_0000_0123_4000n;
  context.capture.ttbr1.malformed.push(
    { va, level: 3, at: 0x4800_0000, descriptor: 0x701n, reason: 'Type 0b01 is reserved.' },
    { va, level: 3, at: 0x4800_0008, descriptor: 0x701n, reason: 'Type 0b01 is reserved.' },
    { va, level: 0, descriptor: 0x10n, reason: 'TCR_EL1.IPS is reserved.' },
    { va, level: 3, at: 0x4800_0010, descriptor: 0x10n, reason: 'A block is misaligned.' },
  );
  const findings = soundTables(context);
  t.match(findings, [
    { id: 'invariant/sound-tables/a-block-is-misaligned@init' },
    { id: 'invariant/sound-tables/tcr_el1-ips-is-reserved@init' },
    { id: 'invariant/sound-tables/type-is-reserved@init' },
  ]);
  const lines = findings.map(({ detail }) => detail.split('\n').slice(1));
  t.same(lines, [
    ['  0xffff000001234000 level 3 at PA 0x48000010: 0x10 A block is misaligned.'],
    ['  0xffff000001234000 level 0: 0x10 TCR_EL1.IPS is reserved.'],
    [
      '  0xffff000001234000 level 3 at PA 0x48000000: 0x701 Type 0b01 is reserved.',
      '  0xffff000001234000 level 3 at PA 0x48000008: 0x701 Type 0b01 is reserved.',
    ],
  ]);
});

t.test('a finding names all tables that share a page, and no other', async (t) => {
  const context = soundContext();
  const table = given(context.capture.ttbr1.tables[2]);
  context.capture.ttbr1.tables.push({ ...table, va: linearStart + 0x4000_0000n });
  t.same(
    soundTables(context).map(({ detail }) => detail.split('\n').slice(1)),
    [
      [
        '  table at PA 0x43001000, level 2, for VA 0xffff000000000000',
        '  table at PA 0x43001000, level 2, for VA 0xffff000040000000',
      ],
    ],
  );
});

t.test("the user's tables and registers may be malformed as well", async (t) => {
  const { userRegime, ...context } = soundContext();
  const malformed = (reason: string) => ({ va: 0n, level: 0 as const, descriptor: 0x10n, reason });
  given(context.capture.ttbr0).malformed.push(malformed('A table is shared.'));
  const regime = { ...given(userRegime), malformed: [malformed('TCR_EL1.TG0 is reserved.')] };
  t.match(soundTables({ ...context, userRegime: regime }), [
    { id: 'invariant/sound-tables/a-table-is-shared@init' },
    { id: 'invariant/sound-tables/tcr_el1-tg0-is-reserved@init' },
  ]);
});

t.test('kinds of malformed descriptors are told apart, in the order of their names', async (t) => {
  const context = soundContext();
  const fault = { va: 0xffff_0000_0123_4000n, level: 3, descriptor: 0x10n } as const;
  for (const reason of ['This is one.', 'Another is this.', 'Zero is two.', 'This is one.'])
    context.capture.ttbr1.malformed.push({ ...fault, at: 0x4800_0000, reason });
  t.match(
    soundTables(context).map(({ id }) => id),
    ['another-is-this', 'this-is-one', 'zero-is-two'].map(
      (nature) => `invariant/sound-tables/${nature}@init`,
    ),
  );
});
