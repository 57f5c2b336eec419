// SPDX-License-Identifier: GPL-2.0-only
/**
 * What a guest can reach, and what it gets where it cannot: in every place, and in both bodies of
 * the monitor.
 */

import t from 'tap';
import { sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import { guestBase, ramBase, ramSize, runMonitor, type Step } from './monitor-machine.ts';

t.setTimeout(0);

const stateSet = (base: number, top: number, state: number): Step => [
  'smc',
  0xc4000197,
  base,
  top,
  state,
  1,
];
const [empty, ram] = [0, 1];
const page = ramBase + 0x3000000;
const uartFlags = 0x9000018;
/** ESR_EL1 of a synchronous external abort at EL1: data, read and write; instruction. */
const [readAborted, writeAborted, fetchAborted] = [0x96000010n, 0x96000050n, 0x86000010n];
const pattern = 0x0123456789abcdefn;

/** CPU, IPA bits that it can have, other machine properties. */
const machines: [string, number, boolean][] = [
  ['max', 41, false],
  ['max', 48, false],
  ['max', 41, true],
  ['neoverse-n2', 48, false],
  ['neoverse-n1', 44, false],
  ['cortex-a76', 40, false],
  ['cortex-a57', 33, false],
];

for (const [cpu, ipaBits, rme] of machines) {
  t.test(`${cpu}, ${ipaBits} bits${rme ? ', Realm world' : ''}`, async (t) => {
    const alias = 2 ** (ipaBits - 1);
    const hole = sizedRange(page + 0x100000, 0x1000);
    const steps: [Step, string, bigint?][] = [
      [['store', page, pattern], 'private RAM'],
      [['load', page + alias], 'alias of private RAM', readAborted],
      [['store', page + alias, 1], 'writing there', writeAborted],
      [['load', uartFlags + alias], 'a device in the alias'],
      [['load', uartFlags], 'a device at its protected address', readAborted],
      [['jump', uartFlags], 'code at a protected device', fetchAborted],
      [['load', hole.start], 'destroyed RAM', readAborted],
      [['load', hole.start + alias], 'alias of destroyed RAM', readAborted],
      [stateSet(page, page + 0x1000, empty), 'sharing'],
      [['load', page], 'protected address of shared RAM', readAborted],
      [['load', page + alias], 'shared RAM'],
      [['store', page + alias, pattern], 'writing shared RAM'],
      [['load', page + alias], 'reading it back'],
      [['load', page + 0x1000], 'the neighbour above'],
      [['load', page - 8], 'the neighbour below'],
      [['load', page + 0x1000 + alias], "the neighbour's alias", readAborted],
      [stateSet(page, page + 0x1000, ram), 'making it private'],
      [['load', page], 'private again'],
      [['load', page + alias], 'alias of what is private again', readAborted],
      [['load', ramBase + ramSize], "the monitor's memory", readAborted],
      [['load', ramBase + ramSize + alias], 'the same in the alias', readAborted],
    ];
    const { results, report, ended } = await runMonitor(
      steps.map(([step]) => step),
      { cpu, ipaBits, rme, destroyed: [hole] },
    );
    t.ok(ended, 'the guest came to its end');
    for (const [index, [step, what, syndrome]] of steps.entries()) {
      const result = results[index];
      t.equal(
        result?.esr,
        syndrome ?? 0n,
        `${what}: ${syndrome === undefined ? 'reached' : 'external abort'}`,
      );
      if (syndrome !== undefined) t.equal(result?.far, BigInt(step[1] ?? 0), 'with its address');
    }
    t.equal(results[10]?.x[0], 0n, 'sharing wiped the page');
    t.equal(results[12]?.x[0], pattern);
    t.equal(results[17]?.x[0], 0n, 'and so did making it private');
    const refused = steps.filter(([, , syndrome]) => syndrome !== undefined);
    t.same(
      report?.aborts.map(({ ipa }) => ipa),
      refused.map(([step]) => step[1]),
      'the report has every abort with its IPA',
    );
    t.same(
      new Set(report?.aborts.map(({ kind }) => kind)),
      new Set([
        'alias of RAM that is not shared',
        'protected address of a device or of nothing',
        'protected address of RAM that is not private',
        'neither RAM nor device',
      ]),
    );
    t.ok(
      report?.aborts.every(
        ({ elr, ipa, cpu }) => cpu === 0 && (elr > BigInt(guestBase) || elr === BigInt(ipa)),
      ),
      'with its CPU and PC, which for a fetch is the address',
    );
    t.equal(report?.aborts.find(({ ipa }) => ipa === hole.start)?.ripas, 'DESTROYED');
  });
}

for (const rme of [false, true]) {
  t.test(
    `memory that nobody told the guest of is EMPTY, until it asks for it${rme ? ', Realm world' : ''}`,
    async (t) => {
      const alias = 2 ** 39;
      const stateGet = (base: number, top: number): Step => ['smc', 0xc4000198, base, top];
      const steps: Step[] = [
        ['load', page],
        stateGet(page - 0x1000, page + 0x2000),
        stateGet(page, page + 0x2000),
        ['store', page + alias, pattern],
        ['smc', 0xc4000197, page, page + 0x1000, ram, 0],
        ['load', page],
        ['load', page + 0x1000],
      ];
      const described = [sizedRange(ramBase, page - ramBase)];
      const { results, report } = await runMonitor(steps, { rme, described });
      t.same(
        results.map(({ esr }) => esr),
        [readAborted, 0n, 0n, 0n, 0n, 0n, readAborted],
      );
      t.same(
        results[1]?.x.slice(0, 3),
        [0n, BigInt(page), BigInt(ram)],
        'what the guest was told of is RAM',
      );
      t.same(results[2]?.x.slice(0, 3), [0n, BigInt(page + 0x2000), BigInt(empty)]);
      t.same(results[5]?.x[0], 0n, 'it was wiped on its way');
      t.same(
        report?.ripas.map((run) => [run.ripas, sizeOf(run)]),
        [
          ['RAM', page - ramBase + 0x1000],
          ['EMPTY', ramBase + ramSize - page - 0x1000],
        ],
      );
      t.same(
        report?.aborts.map(({ ipa, kind, ripas }) => [ipa, kind, ripas]),
        [page, page + 0x1000].map((ipa) => [
          ipa,
          'protected address of RAM that is not private',
          'EMPTY',
        ]),
      );
    },
  );
}

t.test('the normal world reaches devices and RAM where they are', async (t) => {
  const steps: Step[] = [
    ['load', uartFlags],
    ['load', page],
    ['load', ramBase + ramSize],
  ];
  const { results, report } = await runMonitor(steps, { world: 'normal', ipaBits: 40 });
  t.same(
    results.map(({ esr }) => esr),
    [0n, 0n, readAborted],
  );
  t.same(
    report?.aborts.map(({ kind }) => kind),
    ['neither RAM nor device'],
    "but not the monitor's memory",
  );
});

t.test('without an IPA size the normal world has no stage 2', async (t) => {
  const steps: Step[] = [
    ['load', uartFlags],
    ['load', page],
    ['load', ramBase + ramSize],
  ];
  const { results, report } = await runMonitor(steps, { world: 'normal', ipaBits: undefined });
  t.same(
    results.map(({ esr }) => esr),
    [0n, 0n, 0n],
  );
  t.same([report?.stage2.root, report?.ipaBits, report?.totalAborts], [0, 0, 0]);
});

t.test('several regions of RAM, whole blocks shared', async (t) => {
  const regions = [sizedRange(ramBase, 0x1000000), sizedRange(ramBase + 0x2000000, 0x2000000)];
  const [first, second] = [ramBase + 0x800000, ramBase + 0x2400000];
  const alias = 2 ** 39;
  const { results, report } = await runMonitor(
    [
      stateSet(first, first + 0x400000, empty),
      stateSet(second - 0x1000, second + 0x201000, empty),
      ['load', first + 0x3ff000 + alias],
      ['load', first + 0x400000],
      ['load', second - 0x1000 + alias],
      ['load', second + 0x200000 + alias],
      ['load', second + 0x201000],
      ['load', ramBase + 0x1800000],
      ['load', ramBase + 0x1800000 + alias],
    ],
    { regions },
  );
  t.same(
    results.map(({ esr }) => esr),
    [0n, 0n, 0n, 0n, 0n, 0n, 0n, readAborted, readAborted],
  );
  t.same(report?.ripas, [
    { ...sizedRange(ramBase, 0x800000), ripas: 'RAM' },
    { ...sizedRange(first, 0x400000), ripas: 'EMPTY' },
    { ...sizedRange(first + 0x400000, 0x400000), ripas: 'RAM' },
    { ...sizedRange(ramBase + 0x2000000, 0x3ff000), ripas: 'RAM' },
    { ...sizedRange(second - 0x1000, 0x202000), ripas: 'EMPTY' },
    { ...sizedRange(second + 0x201000, ramBase + 0x4000000 - second - 0x201000), ripas: 'RAM' },
  ]);
});
