// SPDX-License-Identifier: GPL-2.0-only
/**
 * Guests that mean harm: random calls by the thousand, and a guest that takes its own memory away.
 */

import t from 'tap';
import { sizeOf } from '../../src/linux/physical-range.ts';
import { given } from '../given.ts';
import { guestBase, ramBase, ramSize, runMonitor, type Step } from './monitor-machine.ts';

t.setTimeout(0);

const seed = 20260322;
const calls = 10_000;
const ipaBits = 40;
/** Above the guest and its list, which it shall not lose before it is done. */
const playground = ramBase + 0x2000000;
const rsiFunctions = Array.from({ length: 10 }, (_, index) => 0xc4000190 + index);
const [stateSet, writesMemory] = [0xc4000197, [0xc4000195, 0xc4000196, 0xc4000199]];
/** SMCCC_VERSION and _ARCH_FEATURES, and all of PSCI in both widths (DEN0022). */
const firmwareFunctions = [0x80000000, 0x84000000, 0xc4000000].flatMap((first) =>
  Array.from({ length: first === 0x80000000 ? 2 : 0x18 }, (_, index) => first + index),
);
/** CPU_SUSPEND, CPU_OFF, SYSTEM_OFF, SYSTEM_RESET: they do what they say, which is tried apart. */
const endings = [0x84000001, 0xc4000001, 0x84000002, 0x84000008, 0x84000009];

/** xorshift32: the same calls on every host. */
function randomNumbers(state: number): (below: number) => number {
  let x = state;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Mostly RSI by SMC; sometimes PSCI, what is neither, and HVC. */
function randomCall(random: (below: number) => number): Step {
  const kind = random(20);
  const instruction = random(20) === 0 ? 'hvc' : 'smc';
  const number =
    kind < 14
      ? 0xc4000190 + random(11)
      : kind < 18
        ? given(firmwareFunctions[random(firmwareFunctions.length)])
        : given([0, 0x80000000, 0xc4000000, 0x84000000][random(4)]) +
          random(kind === 18 ? 0x400 : 0x20000000);
  const wild = () => (BigInt(random(2 ** 31)) << 33n) ^ BigInt(random(2 ** 31));
  const argument = () => {
    const kind = random(8);
    if (kind < 4) return BigInt(playground + 4096 * random((ramSize - 0x2000000) / 4096));
    if (kind === 4) return BigInt(playground + random(ramSize - 0x2000000));
    if (kind === 5) return BigInt(random(5));
    if (kind === 6) return BigInt(2 ** (ipaBits - 1)) + BigInt(4096 * random(2 ** 20));
    return wild();
  };
  const args = Array.from({ length: 10 }, argument);
  return [instruction, number, ...args];
}

/** Whether a call could hit the guest itself, or turn the machine or its CPU off. */
function endsTheGuest([, number = 0, base = 0]: Step): boolean {
  const function_ = Number(number);
  const low = BigInt(base) < BigInt(playground);
  return (
    (low && (function_ === stateSet || writesMemory.includes(function_))) ||
    endings.includes(function_)
  );
}

for (const rme of [false, true]) {
  t.test(`${calls} random calls, ${rme ? 'Realm world' : 'EL2'}`, async (t) => {
    const random = randomNumbers(seed);
    const list: Step[] = [];
    while (list.length < calls) {
      const step = randomCall(random);
      if (!endsTheGuest(step)) list.push(step);
    }
    const made = new Set(
      list.filter(([instruction]) => instruction === 'smc').map(([, number]) => Number(number)),
    );
    const all = [
      ...rsiFunctions,
      ...firmwareFunctions.filter((number) => !endings.includes(number)),
    ];
    t.same(
      all.filter((number) => !made.has(number)),
      [],
      'every function is called',
    );
    // The second CPU is there to be started anywhere; a busy host may let it run late.
    const machine = { ipaBits, rme, cpus: 2 };
    const [cpuOn, alreadyOn] = [0xc4000003, -4];
    const last: Step[] = [
      ['until', cpuOn, 1, playground, 0, alreadyOn],
      ['smc', 0xc4000190, 0x10000],
    ];
    const { results, report, ended } = await runMonitor([...list, ...last], machine);
    t.ok(ended, 'the guest came to its end');
    t.equal(report?.state, 'running');
    t.equal(results.at(-1)?.x[0], 0n, 'and RSI still answers');
    const hvcs = list.filter(([instruction]) => instruction === 'hvc').length;
    t.ok(
      (report?.totalCalls ?? 0) >= calls - hvcs + 2,
      'every call was counted, that which turns the machine off, too',
    );
    t.ok((report?.undefinedInstructions ?? 0) >= hvcs, 'and every HVC');
    t.ok(
      Object.values(report?.rsi ?? {}).every(({ calls, refused }) => calls > 0 && refused <= calls),
      'by function',
    );
    t.ok((report?.psciCalls ?? 0) > 100 && (report?.unknownCalls ?? 0) > 100);
    const answers = (wanted: (number: number) => boolean) =>
      results
        .filter((_, index) => list[index]?.[0] === 'smc' && wanted(Number(list[index][1])))
        .map(({ x }) => x[0]);
    const isRsi = (number: number): boolean => rsiFunctions.includes(number);
    const codes = new Set(answers(isRsi));
    t.same(
      [...codes].filter((code) => code !== undefined && code > 3n),
      [],
    );
    t.ok(codes.has(1n) && codes.has(0n), 'some were good, some were not');
    const others = new Set(
      answers((number) => !isRsi(number)).map((code) => BigInt.asIntN(64, code ?? 0n)),
    );
    t.same(
      [...others].filter(
        (code) => code < -9n || (code > 2n && code !== 0x10001n && code !== 0x10002n),
      ),
      [],
      'PSCI and the rest answer in their own terms',
    );
    t.ok(others.has(-1n) && others.has(-2n) && others.has(0n));
    t.same(
      report?.aborts.filter(({ cpu }) => cpu !== 1),
      [],
      'only the CPU that was sent anywhere fell',
    );
    t.same(report?.cpusEntered, [0, 1]);
    const covered = report && sizeOf(...report.ripas);
    t.equal(covered, ramSize, "the monitor's view covers the RAM");
    t.ok((report?.ripas.length ?? 0) > 2, 'which was shared and taken back in many places');
  });

  t.test(`a guest that shares its own code, ${rme ? 'Realm world' : 'EL2'}`, async (t) => {
    const steps: Step[] = [['smc', stateSet, guestBase, guestBase + 0x1000, 0, 1]];
    const { report, ended } = await runMonitor(steps, { ipaBits, rme, patience: 3000 });
    t.notOk(ended, 'it never comes back');
    t.equal(report?.state, 'running', 'but the monitor does not care');
    t.ok((report?.totalAborts ?? 0) > 1, 'and tells why');
    t.equal(report?.aborts[0]?.kind, 'protected address of RAM that is not private');
  });
}

t.test('a guest that turns itself off leaves a record of it', async (t) => {
  for (const rme of [false, true]) {
    for (const [number, ends] of [
      [0x84000001, false],
      [0x84000002, false],
      [0x84000008, true],
      [0x84000009, true],
    ] as const) {
      const steps: Step[] = [
        ['smc', number, 0],
        ['smc', 0xc4000190, 0x10000],
      ];
      const { report, ended } = await runMonitor(steps, { rme, ...(!ends && { patience: 3000 }) });
      t.equal(
        ended,
        ends,
        `${number.toString(16)} ${ends ? 'ends the machine' : 'leaves it waiting'}`,
      );
      t.equal(report?.state, 'running');
      t.same(
        report?.calls.map((call) => call.function),
        number === 0x84000001 ? [] : [number],
        'nothing came after it',
      );
    }
  }
});

t.test('what is no call of the guest is undefined', async (t) => {
  for (const world of ['normal', 'realm'] as const) {
    const { results, report } = await runMonitor([['hvc', 0xc4000190]], { world });
    t.equal(results[0]?.esr, 1n << 25n, 'an undefined instruction');
    t.equal(results[0]?.instruction, 0xd4000002, 'at the HVC itself');
    t.equal(report?.undefinedInstructions, 1);
  }
});

t.test('only the lower half of x0 names a function', async (t) => {
  const { results } = await runMonitor([['smc', 0xffffffffc4000190n, 0x10000]]);
  t.equal(results[0]?.x[0], 0n);
});

t.test('a monitor that cannot go on says why', async (t) => {
  const { report, console } = await runMonitor([], { cpu: 'cortex-a76', ipaBits: 47 });
  const words = 'realm monitor: this CPU has no such IPA size: 0x000000000000002f';
  t.equal(report?.state, 'panic');
  t.equal(report?.lastWords, words);
  t.match(console, words);
});
