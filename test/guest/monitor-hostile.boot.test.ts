/** Guests that mean harm: random calls by the thousand, and a guest that takes its own memory away. */
import t from 'tap';
import { guestBase, ramBase, ramSize, runMonitor, type Step } from './monitor-machine.ts';

t.setTimeout(0);

const seed = 20260322;
const calls = 10_000;
const ipaBits = 40;
/** Above the guest and its list, which it shall not lose before it is done. */
const playground = ramBase + 0x2000000;
const [stateSet, writesMemory] = [0xc4000197, [0xc4000195, 0xc4000196, 0xc4000199]];

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

function randomCall(random: (below: number) => number): Step {
  const number = random(20) === 0 ? 0xc4000000 + random(0x400) : 0xc4000190 + random(11);
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
  return ['smc', number, ...args];
}

/** Whether a call could hit the guest itself, or turn the machine or its CPU off. */
function endsTheGuest([, number = 0, base = 0]: Step): boolean {
  const function_ = Number(number);
  const low = BigInt(base) < BigInt(playground);
  return (low && (function_ === stateSet || writesMemory.includes(function_))) || function_ < 0xc4000100;
}

for (const rme of [false, true]) {
  t.test(`${calls} random calls, ${rme ? 'Realm world' : 'EL2'}`, async (t) => {
    const random = randomNumbers(seed);
    const list: Step[] = [];
    while (list.length < calls) {
      const step = randomCall(random);
      if (!endsTheGuest(step)) list.push(step);
    }
    const { results, report, ended } = await runMonitor([...list, ['smc', 0xc4000190, 0x10000]], { ipaBits, rme });
    t.ok(ended, 'the guest came to its end');
    t.equal(report?.state, 'running');
    t.equal(results.at(-1)?.x[0], 0n, 'and RSI still answers');
    t.equal(report?.totalCalls, calls + 1, 'every call was counted');
    const codes = new Set(results.map(({ x }) => x[0]));
    t.same(
      [...codes].filter((code) => code !== undefined && code > 3n && code !== 2n ** 64n - 1n),
      [],
    );
    t.ok(codes.has(1n) && codes.has(0n), 'some were good, some were not');
    t.equal(report?.aborts.length, 0);
    const covered = report?.ripas.reduce((sum, { size }) => sum + size, 0);
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
