// SPDX-License-Identifier: GPL-2.0-only
/**
 * Every RSI call with right and wrong arguments, from inside a guest, in both bodies of the
 * monitor.
 */

import { createHash } from 'node:crypto';
import t from 'tap';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { guestBase, ramBase, ramSize, runMonitor, type Step } from './monitor-machine.ts';

t.setTimeout(0);

const rsi = (number: number, ...args: (number | bigint)[]): Step => [
  'smc',
  0xc4000190 + number,
  ...args,
];
const [version, features, measurementRead, measurementExtend] = [0, 1, 2, 3];
const [tokenInit, tokenContinue, realmConfig, stateSet, stateGet, hostCall] = [4, 5, 6, 7, 8, 9];
const [success, errorInput, errorState, incomplete] = [0n, 1n, 2n, 3n];
const notSupported = 2n ** 64n - 1n;
const ipaBits = 40;
const half = 2 ** (ipaBits - 1);
/** RAM that the guest does not live in. */
const page = ramBase + 0x3000000;
const [empty, ram, destroyed] = [0, 1, 2];

for (const rme of [false, true]) {
  const body = rme ? 'Realm EL2' : 'EL2';
  /** Runs the calls and returns [x0, x1, x2, …] of each. */
  const call = async (steps: Step[], machine: Parameters<typeof runMonitor>[1] = {}) => {
    const run = await runMonitor(steps, { rme, ...machine });
    t.ok(run.ended, `${body}: the guest came to its end`);
    t.equal(run.report?.lastWords, '', 'and the monitor went on');
    return { ...run, x: run.results.map(({ x }) => x) };
  };

  t.test(`${body}: version and features`, async (t) => {
    const { x } = await call([
      rsi(version, 0x10000),
      rsi(version, 0x10001),
      rsi(version, 0x20000),
      rsi(version, 0x00009),
      rsi(version, 0),
      rsi(features, 0),
      rsi(features, 99),
      rsi(10),
      ['smc', 0xc400018f],
      ['smc', 0x84000190],
    ]);
    t.same(x[0]?.slice(0, 3), [success, 0x10000n, 0x10000n], '1.0 is there');
    for (const [index, asked] of ['1.1', '2.0', '0.9', '0.0'].entries()) {
      t.same(
        x[index + 1]?.slice(0, 3),
        [errorInput, 0x10000n, 0x10000n],
        `${asked} is not, and 1.0 is offered`,
      );
    }
    t.same(x[5]?.slice(0, 2), [success, 0n], 'no features');
    t.same(x[6]?.slice(0, 2), [success, 0n], 'nor in an index that does not exist');
    t.same(
      [x[7]?.[0], x[8]?.[0], x[9]?.[0]],
      [notSupported, notSupported, notSupported],
      'neighbours are unknown',
    );
  });

  t.test(`${body}: measurements`, async (t) => {
    const [word, size] = [0x1122334455667788n, 5];
    const { x } = await call([
      rsi(measurementRead, 1),
      rsi(measurementExtend, 1, size, word),
      rsi(measurementRead, 1),
      rsi(measurementExtend, 1, 64, 1, 2, 3, 4, 5, 6, 7, 8),
      rsi(measurementRead, 1),
      rsi(measurementRead, 0),
      rsi(measurementRead, 4),
      rsi(measurementRead, 5),
      rsi(measurementExtend, 0, 1, 1),
      rsi(measurementExtend, 5, 1, 1),
      rsi(measurementExtend, 1, 65, 1),
    ]);
    const bytes = (words: bigint[]) => {
      const buffer = Buffer.alloc(8 * words.length);
      for (const [index, value] of words.entries()) buffer.writeBigUInt64LE(value, 8 * index);
      return buffer;
    };
    const digest = (...parts: Uint8Array[]) =>
      createHash('sha256').update(Buffer.concat(parts)).digest();
    const value = (index: number) => bytes(x[index]?.slice(1, 9) ?? []);
    t.same(value(0), Buffer.alloc(64), 'begins with zeros');
    const once = digest(Buffer.alloc(32), bytes([word]).subarray(0, size));
    t.same(value(2), Buffer.concat([once, Buffer.alloc(32)]), 'is extended by SHA-256');
    const twice = digest(once, bytes([1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]));
    t.same(value(4), Buffer.concat([twice, Buffer.alloc(32)]), 'with all of 64 bytes too');
    t.notSame(value(5), Buffer.alloc(64), 'the initial one names the realm');
    t.equal(x[6]?.[0], success);
    t.same(
      x.slice(7).map((results) => results[0]),
      [errorInput, errorInput, errorInput, errorInput],
      'wrong indices and sizes are refused',
    );
  });

  t.test(`${body}: configuration and host call`, async (t) => {
    const { x } = await call(
      [
        rsi(realmConfig, page),
        ['load', page],
        ['load', page + 8],
        ['load', page + 0x200],
        rsi(realmConfig, page + 8),
        rsi(realmConfig, page + half),
        rsi(realmConfig, 0x9000000),
        rsi(realmConfig, -4096),
        rsi(hostCall, page + 256),
        ['load', page + 256 + 8],
        rsi(hostCall, page + 8),
        rsi(hostCall, half + page),
        rsi(stateSet, page, page + 4096, empty, 1),
        rsi(realmConfig, page),
        rsi(hostCall, page),
      ],
      { personalization: new TextEncoder().encode('personal') },
    );
    t.same(
      x.slice(0, 4).map((r) => r[0]),
      [success, BigInt(ipaBits), 0n, Buffer.from('personal').readBigUInt64LE()],
    );
    t.same(
      x.slice(4, 8).map((r) => r[0]),
      [errorInput, errorInput, errorInput, errorInput],
      'wrong addresses',
    );
    t.same([x[8]?.[0], x[9]?.[0]], [success, notSupported], 'the host knows no call');
    t.same([x[10]?.[0], x[11]?.[0]], [errorInput, errorInput]);
    t.same(
      [x[13]?.[0], x[14]?.[0]],
      [errorInput, errorInput],
      'a shared page is no place for an answer',
    );
  });

  t.test(`${body}: attestation`, async (t) => {
    const { x } = await call([
      rsi(tokenContinue, page, 0, 64),
      rsi(tokenInit, 0xabn),
      rsi(tokenContinue, page, 0, 64),
      rsi(tokenContinue, page + 1, 0, 64),
      rsi(tokenContinue, page, 4096, 1),
      rsi(tokenContinue, page, 4000, 97),
      rsi(tokenContinue, page, 8, -1),
      rsi(tokenContinue, page, 64, 4032),
      rsi(tokenContinue, page, 0, 64),
      ['load', page],
      ['load', page + 62],
    ]);
    t.equal(x[0]?.[0], errorState, 'none in progress');
    t.same(x[1]?.slice(0, 2), [success, 4096n], 'begun');
    t.same(x[2]?.slice(0, 2), [incomplete, 64n], 'a part');
    t.same(
      x.slice(3, 7).map((r) => r[0]),
      [errorInput, errorInput, errorInput, errorInput],
    );
    t.same(x[7]?.slice(0, 2), [success, 127n], 'the rest');
    t.equal(x[8]?.[0], errorState, 'no more');
    t.equal(x[9]?.[0], Buffer.from('UNSIGNED').readBigUInt64LE(), 'it says that it is unsigned');
  });

  t.test(`${body}: RIPAS`, async (t) => {
    const hole = sizedRange(page + 0x8000, 0x1000);
    const { x, report } = await call(
      [
        rsi(stateGet, ramBase, ramBase + ramSize),
        rsi(stateSet, page, page + 0x2000, empty, 0),
        rsi(stateGet, page, page + 0x10000),
        rsi(stateGet, page + 0x2000, page + 0x10000),
        rsi(stateGet, page + 0x8000, page + 0x10000),
        rsi(stateGet, 0x8000000, ramBase + 0x1000),
        rsi(stateSet, page, page + 0x10000, ram, 0),
        rsi(stateSet, page + 0x8000, page + 0x10000, ram, 0),
        rsi(stateSet, page + 0x8000, page + 0x10000, ram, 1),
        rsi(stateGet, page, page + 0x10000),
        rsi(stateSet, ramBase - 0x2000, ramBase + 0x1000, ram, 1),
        rsi(stateSet, 0x8000000, 0x8001000, empty, 0),
      ],
      { destroyed: [hole] },
    );
    t.same(
      x[0]?.slice(0, 3),
      [success, BigInt(hole.start), BigInt(ram)],
      'a run of RAM ends where it was destroyed',
    );
    t.same(x[1]?.slice(0, 3), [success, BigInt(page + 0x2000), 0n], 'shared and accepted');
    t.same(x[2]?.slice(0, 3), [success, BigInt(page + 0x2000), BigInt(empty)]);
    t.same(x[3]?.slice(0, 3), [success, BigInt(hole.start), BigInt(ram)]);
    t.same(x[4]?.slice(0, 3), [success, BigInt(hole.end), BigInt(destroyed)]);
    t.same(x[5]?.slice(0, 3), [success, BigInt(ramBase), BigInt(empty)], 'devices are EMPTY');
    t.same(
      x[6]?.slice(0, 3),
      [success, BigInt(hole.start), 0n],
      'private again, up to the destroyed page',
    );
    t.same(x[7]?.slice(0, 3), [success, BigInt(hole.start), 1n], 'which is rejected');
    t.same(x[8]?.slice(0, 3), [success, BigInt(page + 0x10000), 0n], 'unless the change is wanted');
    t.same(x[9]?.slice(0, 3), [success, BigInt(page + 0x10000), BigInt(ram)]);
    t.same(
      x[10]?.slice(0, 3),
      [success, BigInt(ramBase - 0x2000), 1n],
      'devices do not become RAM',
    );
    t.same(x[11]?.slice(0, 3), [success, 0x8001000n, 0n], 'but may stay what they are');
    t.same(report?.ripas, [{ ...sizedRange(ramBase, ramSize), ripas: 'RAM' }], 'the report agrees');
    t.equal(report?.rsi.IPA_STATE_SET.calls, 6);
    t.equal(report?.granulesShared, 2);
    t.equal(report?.granulesMadePrivate, 3);
  });

  t.test(`${body}: refused ranges`, async (t) => {
    const wrong: [string, ...(number | bigint)[]][] = [
      ['base not aligned', page + 8, page + 0x1000],
      ['top not aligned', page, page + 0x1008],
      ['empty', page, page],
      ['backwards', page + 0x1000, page],
      ['in the alias', page + half, page + half + 0x1000],
      ['reaching into the alias', page, half + 0x1000],
      ['wrapping', page, -4096n],
    ];
    const { x } = await call([
      ...wrong.map(([, base, top]) => rsi(stateSet, base ?? 0, top ?? 0, empty, 0)),
      ...wrong.map(([, base, top]) => rsi(stateGet, base ?? 0, top ?? 0)),
      ...[destroyed, 3, 256].map((state) => rsi(stateSet, page, page + 0x1000, state, 0)),
    ]);
    for (const [index, [what]] of wrong.entries()) {
      t.same([x[index]?.[0], x[index + wrong.length]?.[0]], [errorInput, errorInput], what);
    }
    t.same(
      x.slice(-3).map((r) => r[0]),
      [errorInput, errorInput, errorInput],
      'states that a realm cannot ask for',
    );
  });

  t.test(`${body}: partial progress`, async (t) => {
    const end = page + 0x5000;
    const { x } = await call(
      [
        rsi(stateSet, page, end, empty, 0),
        rsi(stateSet, page + 0x2000, end, empty, 0),
        rsi(stateSet, page + 0x4000, end, empty, 0),
      ],
      { ripasStep: 2 },
    );
    const reached = [page + 0x2000, page + 0x4000, end].map((at) => [success, BigInt(at), 0n]);
    t.same(
      x.map((r) => r.slice(0, 3)),
      reached,
    );
  });
}

t.test('the normal world has no RSI', async (t) => {
  const { results, report } = await runMonitor([rsi(version, 0x10000), rsi(realmConfig, page)], {
    world: 'normal',
  });
  t.same(
    results.map(({ x }) => x[0]),
    [notSupported, notSupported],
  );
  t.equal(report?.unknownCalls, 2);
  t.equal(
    report?.calls[0]?.elr,
    report?.calls[1]?.elr,
    'calls are recorded with where they came from',
  );
  t.ok((report?.calls[0]?.elr ?? 0n) > BigInt(guestBase));
});
